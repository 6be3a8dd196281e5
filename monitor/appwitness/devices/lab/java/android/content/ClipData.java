package android.content;

import android.os.Parcelable;

/** The content of the clipboard; here a single text. */
public class ClipData implements Parcelable {
    private final CharSequence mLabel;
    private final Item mItem;

    /** One item of a copied content. */
    public static class Item {
        private final CharSequence mText;

        public Item(CharSequence text) {
            mText = text;
        }

        public CharSequence getText() {
            return mText;
        }
    }

    private ClipData(CharSequence label, Item item) {
        mLabel = label;
        mItem = item;
    }

    public static ClipData newPlainText(CharSequence label, CharSequence text) {
        return new ClipData(label, new Item(text));
    }

    public Item getItemAt(int index) {
        if (index != 0) {
            throw new ArrayIndexOutOfBoundsException(index);
        }
        return mItem;
    }

    @Override
    public String toString() {
        return "ClipData { text/plain " + mLabel + " }";
    }
}
