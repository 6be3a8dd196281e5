package routes;

import android.os.BinderProxy;
import android.os.Parcel;
import java.io.BufferedReader;
import java.io.FileReader;

/** Reads personal data past the framework's managers: in native code, through files, and by transactions of its own. */
public class Main {
    static native int take(int step);

    /** The native library; then steps: numbers of the library's, `java`, `binder`. */
    public static void main(String[] args) throws Exception {
        System.load(args[0]);
        for (int i = 1; i < args.length; i++) {
            String step = args[i];
            System.out.println(step + " " + (step.equals("java") ? java() : step.equals("binder") ? binder() : take(Integer.parseInt(step))));
        }
        System.exit(0);
    }

    private static String java() throws Exception {
        try (BufferedReader in = new BufferedReader(new FileReader("/proc/sys/kernel/random/boot_id"))) {
            return in.readLine();
        }
    }

    /** Twenty services of nobody's interest, three times each, and one that is asked three times. */
    private static int binder() {
        BinderProxy[] others = new BinderProxy[20];
        for (int i = 0; i < others.length; i++) {
            others[i] = new BinderProxy("android.os.IOther" + i);
        }
        BinderProxy phone = new BinderProxy("com.android.internal.telephony.IPhoneSubInfo");
        int answers = 0;
        for (int round = 0; round < 3; round++) {
            for (BinderProxy other : others) {
                answers += other.transact(1, new Parcel(), new Parcel(), 0) ? 1 : 0;
            }
            answers += phone.transact(11, new Parcel(), new Parcel(), 0) ? 1 : 0;
            System.gc();
        }
        return answers;
    }
}
