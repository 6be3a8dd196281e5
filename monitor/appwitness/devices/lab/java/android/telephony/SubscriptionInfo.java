package android.telephony;

import android.os.Parcelable;

/** A record of a SIM. */
public class SubscriptionInfo implements Parcelable {
    private final int mId;
    private final String mNumber;

    SubscriptionInfo(int id, String number) {
        mId = id;
        mNumber = number;
    }

    public int getSubscriptionId() {
        return mId;
    }

    public String getIccId() {
        return "";
    }

    public int getSimSlotIndex() {
        return 0;
    }

    public CharSequence getDisplayName() {
        return "SIM 1";
    }

    public CharSequence getCarrierName() {
        return "China Mobile";
    }

    @Deprecated
    public String getNumber() {
        return mNumber;
    }

    public String getCountryIso() {
        return "cn";
    }

    public String getMccString() {
        return "460";
    }

    public String getMncString() {
        return "00";
    }

    @Override
    public String toString() {
        return "{id=" + mId + " simSlotIndex=0}";
    }
}
