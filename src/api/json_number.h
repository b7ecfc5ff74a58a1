/*
 * The grammar of numbers as cJSON 1.7.15 has it, a byte at a time: among the characters that JSON
 * numbers have, those that strtod() takes. "01", "1." and "-.5" are numbers, "+1" and ".5" are not.
 */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <stdbool.h>

enum json_number {
    JSON_NUMBER_MINUS,       /* - */
    JSON_NUMBER_MINUS_POINT, /* -. */
    JSON_NUMBER_DIGITS,      /* -0 */
    JSON_NUMBER_FRACTION,    /* -0. and -0.0 */
    JSON_NUMBER_E,
    JSON_NUMBER_E_SIGN,
    JSON_NUMBER_EXPONENT,
    JSON_NUMBER_BROKEN,
};

static inline bool json_number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What a number may consist of: any other character ends it. */
static inline bool json_number_has(char c)
{
    return json_number_is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/* The number may end here. In these states digits change nothing. */
static inline bool json_number_is_whole(enum json_number state)
{
    return state == JSON_NUMBER_DIGITS || state == JSON_NUMBER_FRACTION ||
           state == JSON_NUMBER_EXPONENT;
}

/* The state behind one more of the characters a number has. */
static inline enum json_number json_number_step(enum json_number state, char c)
{
    bool digit = json_number_is_digit(c);
    bool sign = c == '+' || c == '-';
    bool e = c == 'e' || c == 'E';

    switch (state) {
    case JSON_NUMBER_MINUS:
        return digit ? JSON_NUMBER_DIGITS : c == '.' ? JSON_NUMBER_MINUS_POINT : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_MINUS_POINT:
        return digit ? JSON_NUMBER_FRACTION : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_DIGITS:
        if (c == '.')
            return JSON_NUMBER_FRACTION;
        return digit ? state : e ? JSON_NUMBER_E : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_FRACTION:
        return digit ? state : e ? JSON_NUMBER_E : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_E:
        return digit ? JSON_NUMBER_EXPONENT : sign ? JSON_NUMBER_E_SIGN : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_E_SIGN:
    case JSON_NUMBER_EXPONENT:
        return digit ? JSON_NUMBER_EXPONENT : JSON_NUMBER_BROKEN;
    case JSON_NUMBER_BROKEN:
        break;
    }
    return JSON_NUMBER_BROKEN;
}

#endif
