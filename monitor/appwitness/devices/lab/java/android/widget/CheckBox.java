package android.widget;

import android.content.Context;

/** A box to tick. */
public class CheckBox extends CompoundButton {
    public CheckBox(Context context) {
        super(context);
    }
}
