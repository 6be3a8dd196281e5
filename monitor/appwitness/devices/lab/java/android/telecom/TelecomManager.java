package android.telecom;

import android.content.ComponentName;
import android.content.Context;
import android.telephony.TelephonyManager;
import java.util.List;

/** Information about accounts that make calls. */
public class TelecomManager {
    private final Context mContext;

    public TelecomManager(Context context) {
        mContext = context;
    }

    public List<PhoneAccountHandle> getCallCapablePhoneAccounts() {
        mContext.enforceCallingOrSelfPermission("android.permission.READ_PHONE_STATE", "getCallCapablePhoneAccounts");
        ComponentName component =
                new ComponentName("com.android.phone", "com.android.services.telephony.TelephonyConnectionService");
        return List.of(new PhoneAccountHandle(component, "1"));
    }

    public String getLine1Number(PhoneAccountHandle accountHandle) {
        return TelephonyManager.from(mContext).getLine1Number();
    }
}
