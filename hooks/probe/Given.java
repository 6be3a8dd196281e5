package appwitness;

/** What a class that does not override it gets from an interface. */
interface Given {
    default int given() {
        return 1;
    }
}
