import android.bluetooth.BluetoothGatt;
import android.nfc.tech.Ndef;
import android.telephony.SmsManager;
import java.util.ArrayList;
import java.util.List;

/** Sends by each way that is no connection. */
public class Main {
    public static void main(String[] args) {
        SmsManager messages = new SmsManager();
        messages.sendTextMessage("+8610690000", null, "my number is +8613800138000 \uD83D\uDE00", null, null);
        messages.sendMultipartTextMessage("+8610690001", null, new ArrayList<>(List.of("one ", "two")), null, null);
        messages.sendDataMessage("+8610690002", null, (short) 8091, new byte[] {0, 1, (byte) 255}, null, null);
        BluetoothGatt gatt = new BluetoothGatt();
        gatt.writeCharacteristic(new BluetoothGatt.Characteristic());
        gatt.writeCharacteristic(new BluetoothGatt.Characteristic(), new byte[] {9}, 1);
        new Ndef().writeNdefMessage(new Ndef.Message());
        messages.sendTextMessage("+8610690003", null, null, null, null);
    }
}
