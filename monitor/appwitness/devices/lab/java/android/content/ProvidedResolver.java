package android.content;

import java.util.function.Function;

/** The resolver of an app's context, for the providers that its process can reach. */
public final class ProvidedResolver extends ContentResolver {
    private final Function<String, ContentProvider> mProviders;

    public ProvidedResolver(Context context, Function<String, ContentProvider> providers) {
        super(context);
        mProviders = providers;
    }

    @Override
    ContentProvider provider(String authority) {
        return mProviders.apply(authority);
    }
}
