package android.telephony;

import java.util.ArrayList;

/** Sends nothing. */
public class SmsManager {
    public void sendTextMessage(String destination, String centre, String text, Object sent, Object delivered) {
        sendMultipartTextMessage(destination, centre, new ArrayList<>(java.util.Arrays.asList(text)), null, null);
    }

    public void sendMultipartTextMessage(
            String destination, String centre, ArrayList<String> parts, ArrayList<Object> sent, ArrayList<Object> delivered) {
    }

    public void sendDataMessage(
            String destination, String centre, short port, byte[] data, Object sent, Object delivered) {
    }
}
