package classes;

/** What a plug-in brings along beneath its own classes. */
public class PluginBase {
    public String below(int number) {
        return "below " + number;
    }
}
