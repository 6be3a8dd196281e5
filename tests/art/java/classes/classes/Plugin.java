package classes;

/** Each loader has a class of this name of its own. */
public class Plugin extends PluginBase {
    public String read(int number) {
        return "plugin " + number;
    }
}
