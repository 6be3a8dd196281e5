package android.widget;

import android.content.Context;

/** Something to tap. */
public class Button extends TextView {
    public Button(Context context) {
        super(context);
        setClickable(true);
    }
}
