package standin;

/** What every stand-in is: an object that may have a text. */
public class Base {
  public String text;

  public static <T extends Base> T named(T object, String text) {
    object.text = text;
    return object;
  }

  @Override
  public String toString() {
    return text == null ? super.toString() : text;
  }
}
