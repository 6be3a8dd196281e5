package android.widget;

import android.content.Context;
import android.view.View;

/** Displays text. */
public class TextView extends View {
    private CharSequence mText = "";

    public TextView(Context context) {
        super(context);
    }

    public CharSequence getText() {
        return mText;
    }

    public final void setText(CharSequence text) {
        mText = text == null ? "" : text;
        requestLayout();
    }

    public int length() {
        return mText.length();
    }
}
