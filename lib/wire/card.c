/* The card of an envelope's link: what a chat or a social site shows for a pasted link. Its robot
 * gets this small document in place of the page; a browser that gets it by mistake has a link. The
 * words are in two languages, since a robot does not name that of its readers. */
#include "lib/wire/api.h"

#define SUMMARY                                                                                    \
    "Tap to draw a share. "                                                                        \
    "\xe7\x82\xb9\xe5\xbc\x80\xe7\x9c\x8b\xe7\x9c\x8b\xe6\x89\x8b\xe6\xb0\x94\xe3\x80\x82"
#define UNNAMED                                                                                    \
    "You have been sent a red envelope "                                                           \
    "\xe4\xbd\xa0\xe6\x94\xb6\xe5\x88\xb0\xe4\xb8\x80\xe4\xb8\xaa\xe7\xba\xa2\xe5\x8c\x85"
#define HONGBAO " \xe7\x9a\x84\xe7\xba\xa2\xe5\x8c\x85" /* " 's red envelope", after a name */
#define CARD_MAX_AGE_S 60

/* Append text to out as the value of an attribute in double quotes. */
static void card_escape(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        default:
            buf_putc(out, *text);
        }
}

/* Append a tag; its content is a followed by b, both escaped. */
static void card_tag(struct buf *out, const char *property, const char *a, const char *b)
{
    buf_printf(out, "<meta property=\"og:%s\" content=\"", property);
    card_escape(out, a);
    card_escape(out, b);
    buf_puts(out, "\">\n");
}

void api_encode_card(struct http_response *r, const struct id *id, const struct envelope *e,
                     const char *address)
{
    struct buf *out = &r->body;
    char link[sizeof "?e=" + ID_TEXT_SIZE] = "?e=";
    id_format(link + 3, id);
    r->content_type = "text/html; charset=utf-8";
    r->state = e == NULL ? "ok" : envelope_state_name(e->state);
    r->max_age_s = CARD_MAX_AGE_S;
    buf_puts(out, "<!doctype html>\n<html lang=\"zh\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<title>hongbao</title>\n");
    card_tag(out, "type", "website", "");
    card_tag(out, "site_name", "\xe7\xba\xa2\xe5\x8c\x85 hongbao", "");
    if (e == NULL) {
        card_tag(out, "title", UNNAMED, "");
        card_tag(out, "description", SUMMARY, "");
    } else {
        card_tag(out, "title", e->sender_name, HONGBAO);
        card_tag(out, "description", e->greeting, " \xc2\xb7 " SUMMARY);
    }
    card_tag(out, "image", address, "card.png");
    card_tag(out, "image:width", "1200", "");
    card_tag(out, "image:height", "630", "");
    if (address[0] != '\0')
        card_tag(out, "url", address, link);
    /* the web servers take a robot by exactly this query: with another one a person gets the page
     */
    buf_printf(out,
               "</head>\n<body><p><a href=\"%s&amp;page\">" UNNAMED "</a></p></body>\n</html>\n",
               link);
}
