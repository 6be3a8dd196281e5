// The names of ICU's resource trees: a header of Android's ICU that Debian's has not.
#ifndef ART_RIG_URESLOCS_H
#define ART_RIG_URESLOCS_H
#include <unicode/udata.h>
#include <unicode/utypes.h>
#define U_ICUDATA_CURR U_ICUDATA_NAME "-curr"
#define U_ICUDATA_LANG U_ICUDATA_NAME "-lang"
#define U_ICUDATA_REGION U_ICUDATA_NAME "-region"
#define U_ICUDATA_ZONE U_ICUDATA_NAME "-zone"
#endif
