package android.os;

/** An answer that is one text, behind the noted operations that Android writes before it. */
public final class Parcel {
    private byte[] bytes = new byte[0];

    void set(String text) {
        java.nio.ByteBuffer room = java.nio.ByteBuffer.allocate(64).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        room.putInt(-127).putInt(1).putInt(-1).putLong(1L << 41).putLong(0).putInt(0).putInt(text.length());
        for (char letter : text.toCharArray()) {
            room.putChar(letter);
        }
        room.putChar('\0');
        bytes = java.util.Arrays.copyOf(room.array(), (room.position() + 3) & ~3);
    }

    public byte[] marshall() {
        return bytes;
    }
}
