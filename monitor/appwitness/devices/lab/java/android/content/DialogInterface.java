package android.content;

/** What dialogs have in common. */
public interface DialogInterface {
    int BUTTON_POSITIVE = -1;
    int BUTTON_NEGATIVE = -2;

    void cancel();

    void dismiss();

    /** Told when the dialog is cancelled. */
    interface OnCancelListener {
        void onCancel(DialogInterface dialog);
    }

    /** Told when the dialog is dismissed. */
    interface OnDismissListener {
        void onDismiss(DialogInterface dialog);
    }

    /** Told when the dialog is shown. */
    interface OnShowListener {
        void onShow(DialogInterface dialog);
    }

    /** Told when a button or item is clicked. */
    interface OnClickListener {
        void onClick(DialogInterface dialog, int which);
    }
}
