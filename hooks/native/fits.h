// Whether a text has one of the shapes of watch/shapes.ts.

#include <glib.h>

gint fits (const guint8 *shape, const guint8 *text) {
  for (;;) {
    switch (*shape) {
      case '{':
        do
          if (fits (shape + 2, text))
            return 1;
        while (*(shape += shape[1]) == ',');
        return 0;
      case ',': /* an alternative fits: go on after the last one */
        do
          shape += shape[1];
        while (*shape == ',');
      case '}': shape++; break;
      case '*':
        if (*++shape == '*') {
          for (shape++; !fits (shape, text); text++)
            if (*text == 0)
              return 0;
          return 1;
        }
        while (*text != 0 && *text != '/')
          text++;
        break;
      case '#':
        for (shape++; *text >= '0' && *text <= '9'; text++)
          ;
        break;
      case 0: return *text == 0;
      default:
        if (*shape++ != *text++)
          return 0;
    }
  }
}
