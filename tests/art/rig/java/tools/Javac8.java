import com.sun.tools.javac.file.JavacFileManager;
import com.sun.tools.javac.jvm.Target;
import com.sun.tools.javac.main.Main;
import com.sun.tools.javac.util.Context;
import java.lang.reflect.Field;

/**
 * javac, with the language of its arguments and class files of Java 8. It refuses to do that by itself; but what Java 11
 * changed of nested classes, the dexer that there is does not know.
 */
public final class Javac8 {
    private Javac8() {
    }

    public static void main(String[] args) throws ReflectiveOperationException {
        Field field = Target.class.getDeclaredField("targetKey");
        field.setAccessible(true);
        Context context = new Context();
        put(context, field.get(null));
        JavacFileManager.preRegister(context);
        System.exit(new Main("javac").compile(args, context).exitCode);
    }

    @SuppressWarnings("unchecked")
    private static void put(Context context, Object key) {
        context.put((Context.Key<Target>) key, Target.JDK1_8);
    }
}
