package android.view;

import android.os.Parcelable;

/** What input events have in common. */
public abstract class InputEvent implements Parcelable {
    InputEvent() {
    }
}
