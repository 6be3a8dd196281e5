package android.content;

/** What dialogs have in common. */
public interface DialogInterface {
    int BUTTON_POSITIVE = -1;
    int BUTTON_NEGATIVE = -2;

    void cancel();

    void dismiss();

    /** Called when the dialog is cancelled. */
    interface OnCancelListener {
        void onCancel(DialogInterface dialog);
    }

    /** Called when the dialog is dismissed. */
    interface OnDismissListener {
        void onDismiss(DialogInterface dialog);
    }

    /** Called when the dialog is shown. */
    interface OnShowListener {
        void onShow(DialogInterface dialog);
    }

    /** Called when a button or item is clicked. */
    interface OnClickListener {
        void onClick(DialogInterface dialog, int which);
    }
}
