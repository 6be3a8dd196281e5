package standin;

import java.util.function.Function;

/** Plays the calls one after the other; a stand-in's method answers what the call of the moment says. */
public class Play {
  public interface Step {
    void run() throws Exception;
  }

  private static String call;
  private static Function<Object[], Object> answer;

  /** What the method of the stand-in gives when it is called next, once. */
  public static void next(Function<Object[], Object> given) {
    answer = given;
  }

  public static Object answer(Object... args) {
    Function<Object[], Object> given = answer;
    answer = null;
    return given == null ? null : given.apply(args);
  }

  /** The app got what the method gave. */
  public static void same(Object got, Object result) {
    boolean same = got instanceof Number || got instanceof Boolean || got instanceof Character ? got.equals(result) : got == result;
    if (answer != null) {
      System.out.println("UNASKED " + call);
    }
    if (!same) {
      System.out.println("CHANGED " + call + " " + got + " for " + result);
    }
  }

  /** One text that a real call gave. */
  public static void got(Object text) {
    System.out.println("GOT " + call + " " + text);
  }

  public static void read(android.database.Cursor cursor, int columns) {
    while (cursor.moveToNext()) {
      for (int column = 0; column < columns; column++) {
        cursor.getString(column);
      }
    }
    cursor.close();
  }

  public static java.util.Map<String, Object> map(Object... values) {
    java.util.Map<String, Object> map = new java.util.LinkedHashMap<>();
    for (Object value : values) {
      map.put("key" + map.size(), value);
    }
    return map;
  }

  public static java.net.InetAddress address(int third, int fourth) {
    try {
      return java.net.InetAddress.getByAddress(new byte[] {10, 0, (byte) third, (byte) fourth});
    } catch (java.net.UnknownHostException error) {
      throw new IllegalStateException(error);
    }
  }

  public static void main(String[] calls) {
    for (String each : calls) {
      call = each;
      answer = null;
      try {
        ((Step) Class.forName("standin.Call" + each).getDeclaredConstructor().newInstance()).run();
      } catch (Throwable error) {
        System.out.println("THREW " + each + " " + error);
      }
    }
    System.out.println("DONE");
    System.exit(0);
  }
}
