"""appwitness: proves whether personal data left an Android device without consent."""
