/* One encoder for the program's answer and for the marker that replaces it, so that a client sees
 * no difference. */
#include "lib/wire/grab_json.h"
#include "lib/base/clock.h"
#include "lib/wire/json.h"

const char *grab_state_name(enum grab_state s)
{
    static const char *const names[] = {"grabbed", "opened", "busy", "sold_out", "expired"};
    return names[s];
}

void grab_json(const struct grab_answer *a, struct buf *out)
{
    char time[CLOCK_TEXT_SIZE];
    struct json_writer *w = json_writer_new(out);
    if (w == NULL) {
        out->failed = true;
        return;
    }
    json_open_object(w, NULL);
    json_put_string(w, "state", grab_state_name(a->state));
    if (a->state == GRAB_GRABBED) {
        clock_format(time, a->expires_us);
        json_put_string(w, "ticket", a->ticket);
        json_put_string(w, "expires_at", time);
    } else if (a->state == GRAB_OPENED) {
        json_put_int(w, "amount", a->amount_fen);
        json_put_int(w, "seq", a->seq);
    } else if (a->state == GRAB_BUSY) {
        json_put_int(w, "retry_after", a->retry_after_s);
    }
    json_close_object(w);
    json_writer_free(w);
}
