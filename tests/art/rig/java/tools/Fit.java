import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Makes a jar of classes that D8 3.3 and ART 10 understand out of one that a newer javac wrote. Arguments: pairs of the
 * old jar and the new one.
 *
 * <p>Left out: names of parameters, some of which javac 21 leaves without a name, and D8 stops there. Changed: a call of
 * a method of Object on an interface, as javac writes it since 18, is made a call on Object, for ART 10 looks for it in
 * the interface's table and finds another method. Replaced: calls that ART 10's library has not.
 */
public final class Fit {
    private static final List<String> OBJECTS = List.of("equals(Ljava/lang/Object;)Z", "hashCode()I",
        "toString()Ljava/lang/String;", "getClass()Ljava/lang/Class;", "notify()V", "notifyAll()V", "wait()V", "wait(J)V",
        "wait(JI)V");
    private static final String PATH = "Ljava/nio/file/Path;";
    private static final String TEXT = PATH + "Ljava/lang/CharSequence;[Ljava/nio/file/OpenOption;";
    /** what is called -> name and type of the method of art.Newer; null: nothing is called, and nothing pushed */
    private static final Map<String, String[]> NEWER = Map.of(
        "java/nio/file/Files.writeString(" + TEXT + ")" + PATH, new String[] {"writeString", "(" + TEXT + ")" + PATH},
        "java/lang/ProcessHandle.current()Ljava/lang/ProcessHandle;", new String[0],
        "java/lang/ProcessHandle.pid()J", new String[] {"pid", "()J"});

    private Fit() {
    }

    public static void main(String[] jars) throws IOException {
        for (int at = 0; at < jars.length; at += 2) {
            ByteArrayOutputStream made = new ByteArrayOutputStream();
            try (ZipFile old = new ZipFile(jars[at]); ZipOutputStream out = new ZipOutputStream(made)) {
                out.setLevel(Deflater.NO_COMPRESSION);
                Enumeration<? extends ZipEntry> entries = old.entries();
                while (entries.hasMoreElements()) {
                    ZipEntry entry = entries.nextElement();
                    if (wanted(entry.getName())) {
                        out.putNextEntry(new ZipEntry(entry.getName()));
                        ClassWriter writer = new ClassWriter(0);
                        new ClassReader(old.getInputStream(entry)).accept(new Fitted(writer), 0);
                        out.write(writer.toByteArray());
                    }
                }
            }
            Files.write(Path.of(jars[at + 1]), made.toByteArray());
        }
    }

    /** Classes of releases of Java that ART does not look at are left out, and so is the description of a module. */
    private static boolean wanted(String name) {
        return name.endsWith(".class") && !name.startsWith("META-INF/") && !name.endsWith("module-info.class");
    }

    private static final class Fitted extends ClassVisitor {
        Fitted(ClassVisitor next) {
            super(Opcodes.ASM9, next);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String type, String generic, String[] thrown) {
            MethodVisitor next = super.visitMethod(access, name, type, generic, thrown);
            return new MethodVisitor(api, next) {
                @Override
                public void visitParameter(String parameter, int flags) {
                    // left out
                }

                @Override
                public void visitMethodInsn(int op, String owner, String called, String what, boolean onInterface) {
                    String[] newer = NEWER.get(owner + '.' + called + what);
                    if (newer != null) {
                        if (newer.length > 0) {
                            super.visitMethodInsn(Opcodes.INVOKESTATIC, "art/Newer", newer[0], newer[1], false);
                        }
                    } else if (op == Opcodes.INVOKEINTERFACE && OBJECTS.contains(called + what)) {
                        super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, "java/lang/Object", called, what, false);
                    } else {
                        super.visitMethodInsn(op, owner, called, what, onInterface);
                    }
                }
            };
        }
    }
}
