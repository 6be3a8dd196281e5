package android.bluetooth;

/** Sends nothing. */
public class BluetoothGatt {
    public BluetoothDevice getDevice() {
        return new BluetoothDevice();
    }

    public boolean writeCharacteristic(Characteristic characteristic) {
        return true;
    }

    public int writeCharacteristic(Characteristic characteristic, byte[] value, int type) {
        return 0;
    }

    public static class BluetoothDevice {
        public String getAddress() {
            return "00:11:22:33:44:55";
        }
    }

    public static class Characteristic {
        public byte[] getValue() {
            return new byte[] {1, 2, 3};
        }
    }
}
