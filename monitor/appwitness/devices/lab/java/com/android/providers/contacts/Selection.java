package com.android.providers.contacts;

import android.database.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A WHERE clause: comparisons, LIKE, IN, IS NULL, AND, OR, NOT and parentheses, with `?` for the arguments. */
final class Selection {
    private static final Pattern TOKEN =
            Pattern.compile("\\s*('(?:[^']|'')*'|\\?|<>|!=|<=|>=|==|[=<>(),]|[A-Za-z_][\\w.]*|-?\\d+(?:\\.\\d+)?)");
    private final List<String> mTokens = new ArrayList<>();
    private final String[] mArgs;
    private final String mText;
    private int mAt;
    private int mArg;

    private Selection(String text, String[] args) {
        mText = text;
        mArgs = args == null ? new String[0] : args;
        Matcher matcher = TOKEN.matcher(text);
        int end = 0;
        while (end < text.length() && matcher.find(end) && matcher.start() == end) {
            mTokens.add(matcher.group(1));
            end = matcher.end();
        }
        if (!text.substring(end).isBlank()) {
            throw new SQLException("near \"" + text.substring(end).strip() + "\": syntax error: " + text);
        }
    }

    /** The clause as a test of rows; an empty clause accepts every row. */
    static Predicate<Map<String, Object>> parse(String text, String[] args) {
        if (text == null || text.isBlank()) {
            return row -> true;
        }
        Selection selection = new Selection(text, args);
        Predicate<Map<String, Object>> test = selection.or();
        if (selection.mAt < selection.mTokens.size()) {
            throw selection.wrong();
        }
        return test;
    }

    private SQLException wrong() {
        String near = mAt < mTokens.size() ? mTokens.get(mAt) : "end";
        return new SQLException("near \"" + near + "\": syntax error: " + mText);
    }

    private boolean take(String word) {
        if (mAt < mTokens.size() && mTokens.get(mAt).equalsIgnoreCase(word)) {
            mAt++;
            return true;
        }
        return false;
    }

    private String next() {
        if (mAt >= mTokens.size()) {
            throw wrong();
        }
        return mTokens.get(mAt++);
    }

    private Predicate<Map<String, Object>> or() {
        Predicate<Map<String, Object>> test = and();
        while (take("OR")) {
            test = test.or(and());
        }
        return test;
    }

    private Predicate<Map<String, Object>> and() {
        Predicate<Map<String, Object>> test = not();
        while (take("AND")) {
            test = test.and(not());
        }
        return test;
    }

    private Predicate<Map<String, Object>> not() {
        return take("NOT") ? not().negate() : term();
    }

    private Predicate<Map<String, Object>> term() {
        if (take("(")) {
            Predicate<Map<String, Object>> test = or();
            if (!take(")")) {
                throw wrong();
            }
            return test;
        }
        Term left = operand();
        if (take("IS")) {
            boolean not = take("NOT");
            if (!take("NULL")) {
                throw wrong();
            }
            return row -> (left.of(row) == null) != not;
        }
        boolean not = take("NOT");
        if (take("LIKE")) {
            Term pattern = operand();
            return row -> like(left.of(row), pattern.of(row)) != not;
        }
        if (take("IN")) {
            return in(left, not);
        }
        String operator = next();
        Term right = operand();
        return row -> compare(left.of(row), operator, right.of(row));
    }

    private Predicate<Map<String, Object>> in(Term left, boolean not) {
        if (!take("(")) {
            throw wrong();
        }
        List<Term> choices = new ArrayList<>();
        if (!take(")")) {
            do {
                choices.add(operand());
            } while (take(","));
            if (!take(")")) {
                throw wrong();
            }
        }
        return row -> choices.stream().anyMatch(choice -> compare(left.of(row), "=", choice.of(row))) != not;
    }

    /** A column or a constant. */
    private interface Term {
        Object of(Map<String, Object> row);
    }

    private Term operand() {
        String token = next();
        if (token.equals("?")) {
            if (mArg >= mArgs.length) {
                throw new IllegalArgumentException("Too few bind arguments: " + mArgs.length + " for " + mText);
            }
            String value = mArgs[mArg++];
            return row -> value;
        }
        if (token.startsWith("'")) {
            String value = token.substring(1, token.length() - 1).replace("''", "'");
            return row -> value;
        }
        if (Character.isDigit(token.charAt(0)) || token.charAt(0) == '-') {
            return row -> token;
        }
        String column = token.substring(token.lastIndexOf('.') + 1);
        return row -> {
            if (!row.containsKey(column)) {
                throw new SQLException("no such column: " + column + ": " + mText);
            }
            return row.get(column);
        };
    }

    private static boolean like(Object value, Object pattern) {
        if (value == null || pattern == null) {
            return false;
        }
        StringBuilder regex = new StringBuilder();
        for (char c : pattern.toString().toCharArray()) {
            regex.append(c == '%' ? ".*" : c == '_' ? "." : Pattern.quote(String.valueOf(c)));
        }
        return Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE | Pattern.DOTALL)
                .matcher(value.toString()).matches();
    }

    private boolean compare(Object left, String operator, Object right) {
        if (left == null || right == null) {
            return false;
        }
        int order = left instanceof Number || right instanceof Number
                ? Double.compare(number(left), number(right)) : left.toString().compareTo(right.toString());
        return switch (operator) {
            case "=", "==" -> order == 0;
            case "<>", "!=" -> order != 0;
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            default -> throw wrong();
        };
    }

    private static double number(Object value) {
        try {
            return Double.parseDouble(Objects.toString(value));
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }
}
