package android.os;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The data of a transaction: numbers and texts one after another, aligned to four bytes, little-endian. */
public final class Parcel {
    private static final int EX_SECURITY = -1;
    private static final int SYSTEM = 0x53595354;
    private byte[] mBytes = new byte[64];
    private int mSize;
    private int mPosition;
    private final List<IBinder> mBinders = new ArrayList<>();

    private Parcel() {
    }

    public static Parcel obtain() {
        return new Parcel();
    }

    public void recycle() {
        mSize = 0;
        mPosition = 0;
        mBinders.clear();
    }

    public int dataPosition() {
        return mPosition;
    }

    public void setDataPosition(int pos) {
        mPosition = pos;
    }

    public int dataSize() {
        return mSize;
    }

    public byte[] marshall() {
        if (!mBinders.isEmpty()) {
            throw new RuntimeException("Tried to marshall a Parcel that contained Binder objects.");
        }
        return Arrays.copyOf(mBytes, mSize);
    }

    public void writeInt(int val) {
        room(4).putInt(mPosition, val);
        moved(4);
    }

    public void writeString(String val) {
        if (val == null) {
            writeInt(-1);
            return;
        }
        writeInt(val.length());
        int bytes = (2 * (val.length() + 1) + 3) & ~3;
        ByteBuffer room = room(bytes);
        for (int i = 0; i != val.length(); i++) {
            room.putChar(mPosition + 2 * i, val.charAt(i));
        }
        moved(bytes);
    }

    public void writeStrongBinder(IBinder val) {
        mBinders.add(val);
        writeInt(mBinders.size() - 1);
    }

    public IBinder readStrongBinder() {
        return mBinders.get(readInt());
    }

    public void writeInterfaceToken(String interfaceName) {
        writeInt(0);
        writeInt(-1);
        writeInt(SYSTEM);
        writeString(interfaceName);
    }

    public void enforceInterface(String interfaceName) {
        mPosition = 12;
        String given = readString();
        if (!interfaceName.equals(given)) {
            throw new SecurityException("Binder invocation to an incorrect interface");
        }
    }

    public void writeNoException() {
        writeInt(0);
    }

    public void writeException(Exception e) {
        if (!(e instanceof SecurityException)) {
            throw new RuntimeException(e);
        }
        writeInt(EX_SECURITY);
        writeString(e.getMessage());
    }

    public void readException() {
        int code = readInt();
        if (code == EX_SECURITY) {
            throw new SecurityException(readString());
        }
    }

    public int readInt() {
        int value = buffer().getInt(mPosition);
        mPosition += 4;
        return value;
    }

    public String readString() {
        int length = readInt();
        if (length < 0) {
            return null;
        }
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i != length; i++) {
            text.append(buffer().getChar(mPosition + 2 * i));
        }
        mPosition += (2 * (length + 1) + 3) & ~3;
        return text.toString();
    }

    private ByteBuffer buffer() {
        return ByteBuffer.wrap(mBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer room(int bytes) {
        if (mPosition + bytes > mBytes.length) {
            mBytes = Arrays.copyOf(mBytes, 2 * (mPosition + bytes));
        }
        return buffer();
    }

    private void moved(int bytes) {
        mPosition += bytes;
        mSize = Math.max(mSize, mPosition);
    }
}
