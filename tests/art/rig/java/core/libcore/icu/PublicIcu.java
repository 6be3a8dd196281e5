package libcore.icu;

import android.icu.text.DateFormat;
import android.icu.text.DateFormatSymbols;
import android.icu.text.SimpleDateFormat;
import android.icu.util.Calendar;
import android.icu.util.ULocale;

/** What java.text and java.time ask of Android's own ICU, by calls that the public one has. */
public final class PublicIcu {
    private static final int NONE = -1;

    private PublicIcu() {
    }

    public static DateFormatSymbols symbols(ULocale locale, String calendar) {
        ULocale full = of(locale, calendar);
        return new DateFormatSymbols(Calendar.getInstance(full), full);
    }

    public static String pattern(ULocale locale, String calendar, int date, int time) {
        ULocale full = of(locale, calendar);
        DateFormat format = date == NONE ? DateFormat.getTimeInstance(time, full)
            : time == NONE ? DateFormat.getDateInstance(date, full)
            : DateFormat.getDateTimeInstance(date, time, full);
        return ((SimpleDateFormat) format).toPattern();
    }

    private static ULocale of(ULocale locale, String calendar) {
        return calendar != null ? locale.setKeywordValue("calendar", calendar) : locale;
    }
}
