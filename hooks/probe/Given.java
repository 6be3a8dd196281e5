package appwitness;

/** Has a default method, which a class gets if it does not override it. */
interface Given {
    default int given() {
        return 1;
    }
}
