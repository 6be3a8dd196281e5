package library;

import java.security.MessageDigest;
import java.security.Provider;

/** What is changed in Android's library changes none of its answers. */
public final class Main {
    /** As Bouncy Castle's: the entry of a service that is used is put back as a service. */
    static final class Entries extends Provider {
        Entries() {
            super("Entries", 1.0, "");
            for (String name : new String[] {"One", "Two", "Three"}) {
                put("MessageDigest." + name, MessageDigest.class.getName());
                put("Alg.Alias.MessageDigest." + name + "-alias", name);
                put("MessageDigest." + name + " Attribute", "of " + name);
            }
        }

        void use(String name) {
            Service service = getService("MessageDigest", name);
            remove("MessageDigest." + service.getAlgorithm());
            putService(service);
        }
    }

    public static void main(String[] args) {
        Entries entries = new Entries();
        Provider.Service two = entries.getService("MessageDigest", "Two");
        entries.use("one");
        entries.use("One-alias");
        System.out.println("used: " + found(entries, "one", "ONE-ALIAS"));
        System.out.println("the rest was not read anew: " + (entries.getService("MessageDigest", "Two-alias") == two));
        entries.remove("MessageDigest.two");
        System.out.println("another case: " + found(entries, "Two", "Two-alias"));
        entries.remove("MessageDigest.Two");
        System.out.println("gone: " + found(entries, "Two", "Two-alias"));
        entries.remove("Alg.Alias.MessageDigest.Three-alias");
        System.out.println("alias gone: " + found(entries, "Three", "Three-alias"));
        entries.remove("MessageDigest.Three Attribute");
        System.out.println("attribute gone: " + entries.getService("MessageDigest", "Three").getAttribute("Attribute"));
        entries.put("MessageDigest.Two", "two.again");
        System.out.println("back: " + found(entries, "Two", "Two-alias"));
        System.out.println("services: " + entries.getServices().size());
        System.exit(0);
    }

    static String found(Provider provider, String... names) {
        StringBuilder all = new StringBuilder();
        for (String name : names) {
            Provider.Service service = provider.getService("MessageDigest", name);
            all.append(service == null ? "none " : service.getAlgorithm() + "/" + service.getAttribute("Attribute") + " ");
        }
        return all.toString().trim();
    }
}
