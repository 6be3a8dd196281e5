package com.android.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/** What the system knows apart from the app: manifest, permissions, plan, address book, position, SIM. */
public final class Device {
    private static final Properties FACTS = new Properties();
    private static volatile boolean sScreenOn = true;
    private static final Set<String> GRANTED = new LinkedHashSet<>();

    /** One entry in the address book. */
    public record Contact(long id, String name, List<String> numbers, List<String> mails) {
    }

    private Device() {
    }

    /** Reads the device file that the lab device wrote (system property lab.device). */
    public static void load() {
        try (var reader = Files.newBufferedReader(Path.of(System.getProperty("lab.device")), StandardCharsets.UTF_8)) {
            FACTS.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        GRANTED.addAll(list("permissions.granted"));
    }

    public static String fact(String key) {
        return FACTS.getProperty(key, "");
    }

    public static List<String> list(String key) {
        String value = fact(key);
        return value.isEmpty() ? List.of() : List.of(value.split(","));
    }

    /** The facts whose names begin with `prefix`, keyed by the rest of the name. */
    public static Map<String, String> under(String prefix) {
        Map<String, String> found = new TreeMap<>();
        for (String name : FACTS.stringPropertyNames()) {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), FACTS.getProperty(name));
            }
        }
        return found;
    }

    public static boolean isScreenOn() {
        return sScreenOn;
    }

    static void setScreenOn(boolean on) {
        sScreenOn = on;
    }

    public static String plan() {
        return System.getProperty("lab.plan", "silent");
    }

    public static String packageName() {
        return System.getProperty("lab.package");
    }

    public static synchronized boolean isGranted(String permission) {
        return GRANTED.contains(permission);
    }

    public static synchronized void grant(String permission) {
        GRANTED.add(permission);
    }

    /** The address book, in the order of its IDs. */
    public static List<Contact> contacts() {
        List<Contact> contacts = new ArrayList<>();
        for (int i = 0; !fact("contact." + i + ".name").isEmpty(); i++) {
            String key = "contact." + i;
            contacts.add(new Contact(i + 1, fact(key + ".name"), list(key + ".numbers"), list(key + ".mails")));
        }
        return contacts;
    }

    /** Writes a line to the log file, if the device keeps one. */
    public static int log(String line) {
        String path = System.getProperty("lab.log");
        if (path == null) {
            return 0;
        }
        String text = Instant.now() + " " + Thread.currentThread().getName() + " " + line + "\n";
        try {
            Files.writeString(Path.of(path), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            return 0;
        }
        return text.length();
    }
}
