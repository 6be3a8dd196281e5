/* MessagePack and CBOR messages: the texts and numbers in them. */

#include "sift.h"

/* Each item takes at least one byte of the message, so there is room. */
static void add_item(message *m, int kind, int64_t value, int64_t size) { m->items[m->items_found++] = (item){kind, (int)size, value}; }

/* Complete MessagePack values with nothing left over; the first is an array or a map. */
bool messagepack(message *m, bytes data, int64_t size) {
    m->items_found = m->documents = m->containers = 0;
    if (!(data[0] <= 0x9F || (0xDC <= data[0] && data[0] <= 0xDF))) return false;
    int64_t at = 0, left = 0;
    while (at < size) {
        if (!left) m->documents++, left = 1;
        int head = data[at++], wide = 0;
        int64_t skip = 0;
        left--;
        if (head <= 0x7F || head >= 0xE0 || (0xC0 <= head && head <= 0xC3)) continue;
        if (head <= 0x9F) {
            left += (head & 15) * (head <= 0x8F ? 2 : 1);
            m->containers++;
        } else if (head <= 0xBF)
            skip = head & 31;
        else if (head <= 0xC9 || (0xD9 <= head && head <= 0xDB)) {
            wide = 1 << (head <= 0xC6 ? head - 0xC4 : head <= 0xC9 ? head - 0xC7 : head - 0xD9);
            if (at + wide > size) return false;
            skip = wide + big(data + at, wide) + (0xC7 <= head && head <= 0xC9);
        } else if (head <= 0xCB)
            skip = 4 << (head - 0xCA);
        else if (head <= 0xD3)
            skip = 1 << ((head - 0xCC) & 3);
        else if (head <= 0xD8)
            skip = 1 + (1 << (head - 0xD4));
        else {
            wide = 2 << (head & 1);
            if (at + wide > size) return false;
            left += big(data + at, wide) * (head <= 0xDD ? 1 : 2);
            skip = wide, wide = 0;
            m->containers++;
        }
        if (skip > size - at || skip < 0 || left > size - at - skip) return false;
        bool text = (0xA0 <= head && head <= 0xBF) || (0xD9 <= head && head <= 0xDB);
        if (text && !is_text(data + at + wide, skip - wide)) return false;
        if (text || head <= 0xC9 || (0xD4 <= head && head <= 0xD8)) {
            if (skip > wide) add_item(m, BYTES, at + wide, skip - wide);
        } else if (head <= 0xCB)
            add_item(m, REAL, big(data + at, (int)skip), skip);
        else if (head <= 0xD3) {
            int above = head < 0xD0 ? 0 : 64 - 8 * (int)skip; /* bits that the sign of a negative number fills */
            add_item(m, WHOLE, (int64_t)((uint64_t)big(data + at, (int)skip) << above) >> above, skip);
        }
        at += skip;
    }
    return !left && m->documents < 1 + 2 * m->containers;
}

/* One CBOR value with everything in it. */
static bool cbor_value(message *m, bytes data, int64_t size, int64_t *at, int level) {
    if (*at >= size || level > 200) return false;
    int major = data[*at] >> 5, info = data[*at] & 31, wide = info >= 24 ? 1 << (info - 24) : 0;
    bool open = info == 31 && 2 <= major && major <= 5;
    if ((info >= 28 && !open) || (major == 7 && info < 20)) return false;
    ++*at;
    if (open) wide = 0;
    if (wide > size - *at) return false;
    int64_t value = wide ? big(data + *at, wide) : info;
    *at += wide;
    if (!open && 2 <= major && major <= 5 && (value < 0 || value > size - *at)) return false;
    if (major == 4 || major == 5 || open) {
        if (major > 3)
            m->containers++;
        else
            add_item(m, SURE, 0, 0); /* a text in parts */
        for (int64_t number = 0; open ? *at < size && data[*at] != 0xFF : number < value * (major == 5 ? 2 : 1); number++)
            if (!cbor_value(m, data, size, at, level + 1)) return false;
        if (open && (*at)++ >= size) return false;
    } else if (major == 2 || major == 3) {
        if (major == 3 && !is_text(data + *at, value)) return false;
        if (value) add_item(m, BYTES, *at, value);
        *at += value;
    } else if (major == 6) {
        if (value == 4) add_item(m, SURE, 0, 0); /* a decimal fraction */
        return cbor_value(m, data, size, at, level + 1);
    } else if (major == 7 && wide >= 4)
        add_item(m, REAL, value, wide);
    else if (major < 2)
        add_item(m, WHOLE, value, wide);
    return true;
}

/* Complete CBOR values with nothing left over; the first may be anything but a number or a text. */
bool cbor(message *m, bytes data, int64_t size) {
    m->items_found = m->documents = m->containers = 0;
    if (data[0] > 0xBF && data[0] != 0xD9) return false;
    for (int64_t at = 0; at < size; m->documents++)
        if (!cbor_value(m, data, size, &at, 0)) return false;
    return true;
}
