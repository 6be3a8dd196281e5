package com.android.lab;

import java.util.Iterator;
import java.util.ServiceLoader;

/** Somebody else who watches the display and touches it: nobody, unless a service on the class path provides one. */
public interface Display {
    static Display display() {
        return Holder.DISPLAY;
    }

    /** Begins to show the top window and accept touches; returns whether there is anybody. */
    default boolean share() {
        return false;
    }

    /** Whether nothing was touched and nothing changed for a while. */
    default boolean isResting() {
        return true;
    }

    /** The user left the app. */
    default void goneHome() {
    }

    /** The app is gone: what is below it is visible again. */
    default void clear() {
    }

    /** Holds the display of this process. */
    final class Holder {
        private static final Display DISPLAY = provided();

        private Holder() {
        }

        private static Display provided() {
            Iterator<Display> provided = ServiceLoader.load(Display.class, Display.class.getClassLoader()).iterator();
            return provided.hasNext() ? provided.next() : new Display() { };
        }
    }
}
