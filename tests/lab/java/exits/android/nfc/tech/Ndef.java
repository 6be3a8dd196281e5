package android.nfc.tech;

/** Sends nothing. */
public class Ndef {
    public void writeNdefMessage(Message message) {
    }

    public static class Message {
        public byte[] toByteArray() {
            return new byte[] {(byte) 0xd1, 1, 0};
        }
    }
}
