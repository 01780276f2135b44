/* One envelope from grab to credit, with everything that may fail in between: a model for spin.
 *
 * Processes: users that grab and open until they have a definite answer, settle (refund, credit), an
 * adversary with a budget of faults, an operator that restores an older database. A share is worth 1, so
 * sums of money are counts. The database is kept twice: `seen` is what transactions see, `disk` is what
 * survives a crash of the machine. COMMIT changes `seen`; a flush copies `seen` to `disk`.
 *
 * V_... switches weaken one rule each; tests/model/run shows that every one of them is caught. */
#ifndef USERS
#define USERS 2
#endif
#ifndef SHARES
#define SHARES 1
#endif
#ifndef CUTS /* transactions killed, and commits lost, held, or applied with the reply lost */
#define CUTS 1
#endif
#ifndef CRASHES /* of the machine with the database */
#define CRASHES 1
#endif
#ifndef FORGED /* cache items lost or overwritten */
#define FORGED 1
#endif
#ifndef LOST /* tickets that are never used */
#define LOST 1
#endif
#ifndef RESTORES /* an older database replaces this one */
#define RESTORES 0
#endif
#ifndef EXPIRES /* the deadline passes at some moment */
#define EXPIRES 1
#endif

/* States of the envelope, and the gate's values above the number of shares left. */
#define OPEN 0
#define SOLD 100
#define EXPIRED 101
#define MISSING 102

/* The last answer to a user. */
#define NOTHING 0
#define OPENED 1
#define REFUSED 2 /* an error; SOLD and EXPIRED are answers of their own */
#define EXCUSED 3 /* the answer was of a history that a restore has undone */

typedef database {
    byte state;
    byte opened;
    byte claims[USERS];  /* by user: more than 1 is a second share */
    bit credit[USERS];   /* waits for settle */
    bit booked[USERS];   /* the transfer's row: unique */
    byte balance[USERS];
    byte refunded;       /* the envelope's column */
    byte repaid          /* what the sender's balance got */
}

database seen, disk, backup;
bit row_locked;
bit due;
byte epoch; /* rises when sessions are cut: a crash or a restore */
bit generation;
byte gate[2] = MISSING;
byte marker[2] = MISSING; /* the web server's file: believed without asking the database */
byte answered[USERS] = NOTHING;
byte cuts = CUTS, lost = LOST;

/* A COMMIT that the network holds while its client has given up. */
byte held_user; /* user + 1; 0: none */

#ifdef V_NO_GENERATION
#define KEY 0
#else
#define KEY g
#endif

inline copy(to, from)
{
    d_step {
        to.state = from.state;
        to.opened = from.opened;
        to.refunded = from.refunded;
        to.repaid = from.repaid;
        i = 0;
        do
        :: i < USERS ->
            to.claims[i] = from.claims[i];
            to.credit[i] = from.credit[i];
            to.booked[i] = from.booked[i];
            to.balance[i] = from.balance[i];
            i++
        :: else -> break
        od;
        i = 0
    }
}

/* The books, after every change of the database. */
inline check_books()
{
    d_step {
        assert(seen.opened + seen.refunded <= SHARES);
        assert(seen.repaid == seen.refunded);
        assert(seen.state != SOLD || seen.opened == SHARES);
        assert(seen.state != EXPIRED || (seen.opened < SHARES && seen.opened + seen.refunded == SHARES));
        assert(seen.state != OPEN || (seen.opened < SHARES && seen.refunded == 0));
        i = 0;
        sum = 0;
        do
        :: i < USERS ->
            assert(seen.claims[i] <= 1);
            assert(seen.balance[i] <= seen.claims[i]);
            assert(!(seen.credit[i] && seen.balance[i] > 0));
            sum = sum + seen.claims[i];
            i++
        :: else -> break
        od;
        assert(sum == seen.opened);
        i = 0;
        sum = 0
    }
}

inline apply_open(u)
{
    d_step {
        seen.opened++;
        seen.claims[u]++;
        seen.credit[u] = 1;
        if
        :: seen.opened == SHARES -> seen.state = SOLD
        :: else -> skip
        fi
    }
    check_books()
}

/* sold_out and expired must be on disk when they are answered. An answer of the previous generation is
 * excused: processes read the new one within a second. */
inline answer(u, word)
{
    atomic {
        if
        :: g == generation ->
            assert(disk.state == word);
            answered[u] = word;
            goto end_user
        :: else -> goto start
        fi
    }
}

/* The envelope was read as closed: wait until that is on disk, then answer. */
inline answer_durable(u, word)
{
#ifndef V_NO_BARRIER
    atomic {
        if
        :: epoch == e -> copy(disk, seen)
        :: else -> goto start
        fi
    }
#endif
    answer(u, word)
}

proctype user(byte u)
{
    byte value, state, opened, mine, e, i, sum;
    bit g;
start:
    atomic { g = generation; e = epoch; value = 0; state = 0; opened = 0; mine = 0 }
    /* net 0 */
    atomic {
        if
        :: marker[KEY] != MISSING -> answer(u, marker[KEY])
        :: else -> skip
        fi
    }
    /* net 2 */
    value = gate[KEY];
    if
#ifdef V_BELIEVE_FINAL_GATE
    :: value == SOLD || value == EXPIRED -> answer(u, value)
#endif
#ifdef V_NO_REFILL
    :: value == 0 -> gate[KEY] != 0; goto start
#endif
    :: value > 0 && value <= SHARES -> /* compare and swap */
        atomic {
            if
            :: gate[KEY] == value -> gate[KEY] = value - 1
            :: else -> goto start
            fi
        }
    :: else -> /* missing, final or at zero: read the database */
        atomic {
            if
            :: epoch == e -> state = seen.state; opened = seen.opened
            :: else -> goto start
            fi
        }
        if
        :: state != OPEN -> answer_durable(u, state)
        :: else ->
            atomic {
                if
                :: gate[KEY] == value -> gate[KEY] = SHARES - opened
                :: else -> skip
                fi;
                goto start
            }
        fi
    fi;
    if
    :: atomic { lost > 0 -> lost--; goto start }
    :: skip
    fi;

    /* the open: one transaction */
#ifdef V_LOOK_BEFORE_LOCK
    atomic {
        if
        :: epoch == e -> mine = seen.claims[u]
        :: else -> goto start
        fi
    }
#endif
    atomic {
        !row_locked;
        if
        :: epoch == e -> row_locked = 1
        :: else -> goto start
        fi
    }
    atomic {
        if
        :: epoch == e ->
            state = seen.state;
            opened = seen.opened;
#ifndef V_LOOK_BEFORE_LOCK
            mine = seen.claims[u]
#endif
        :: else -> goto start
        fi
    }
    if
    :: mine > 0 ->
        atomic {
            if
            :: epoch == e -> row_locked = 0; copy(disk, seen); answered[u] = OPENED; goto end_user
            :: else -> goto start
            fi
        }
    :: mine == 0 &&
#ifdef V_TRUST_GATE
       false
#elif defined(V_NO_STATE_CHECK)
       opened == SHARES
#else
       state != OPEN
#endif
       ->
        atomic {
            if
            :: epoch == e -> row_locked = 0
            :: else -> goto start
            fi
        }
        answer_durable(u, (state == OPEN -> SOLD : state))
    :: mine == 0 && state == OPEN && due -> /* wait until settle closes it */
        atomic {
            if
            :: epoch == e -> row_locked = 0
            :: else -> goto start
            fi
        }
        (seen.state != OPEN || epoch != e);
        goto start
    :: else -> skip
    fi;
#ifdef V_MARKER_BEFORE_COMMIT
    marker[KEY] = (opened + 1 == SHARES -> SOLD : marker[KEY]);
#endif
    if
    :: atomic { cuts > 0 && epoch == e -> cuts--; row_locked = 0; goto start } /* killed, or COMMIT lost */
    :: atomic { /* applied, and the reply lost */
        cuts > 0 && epoch == e ->
            cuts--; row_locked = 0; apply_open(u);
#ifdef V_UNKNOWN_IS_NO
            answered[u] = REFUSED; goto end_user
#else
            goto start
#endif
       }
    :: atomic { cuts > 0 && epoch == e && held_user == 0 -> cuts--; held_user = u + 1; goto start }
    :: atomic {
        epoch == e -> row_locked = 0; apply_open(u);
#ifdef V_ANSWER_BEFORE_FLUSH
            answered[u] = OPENED; goto end_user
#endif
       }
    :: atomic { epoch != e -> goto start }
    fi;
    atomic {
        if
        :: epoch == e -> copy(disk, seen); answered[u] = OPENED
        :: else -> goto start
        fi
    }
    /* publish: the claim closed it */
    atomic {
        if
        :: opened + 1 == SHARES -> marker[KEY] = SOLD; gate[KEY] = SOLD
        :: else -> skip
        fi
    }
end_user:
    atomic { value = 0; state = 0; opened = 0; mine = 0; e = 0; g = 0 } /* equal ends are one state */
}

/* A held COMMIT reaches the database in the end. */
active proctype network()
{
    byte i, sum;
end:
    do
    :: atomic { held_user > 0 -> row_locked = 0; apply_open(held_user - 1); held_user = 0 }
    od
}

active proctype clock()
{
end:
    (EXPIRES == 1);
    due = 1
}

active proctype settle()
{
    byte left, state, u, e, i, sum;
    bit g;
rest:
    atomic { left = 0; state = 0; u = 0; e = 0; g = 0 };
end:
    do
    :: atomic { due && seen.state == OPEN -> g = generation; e = epoch };
#ifdef V_REFUND_READ_BEFORE_LOCK
        left = SHARES - seen.opened;
#endif
        atomic {
            !row_locked;
            if
            :: epoch == e -> row_locked = 1
            :: else -> goto rest
            fi
        }
        atomic {
            if
            :: epoch == e ->
                state = seen.state;
#ifndef V_REFUND_READ_BEFORE_LOCK
                left = SHARES - seen.opened
#endif
            :: else -> goto rest
            fi
        }
        if
#ifndef V_REFUND_NO_STATE_CHECK
        :: state != OPEN ->
            atomic {
                if
                :: epoch == e -> row_locked = 0
                :: else -> skip
                fi;
                goto rest
            }
#endif
        :: else -> skip
        fi;
        if
        :: atomic { cuts > 0 && epoch == e -> cuts--; row_locked = 0; goto rest }
        :: atomic {
            epoch == e ->
                seen.state = EXPIRED;
                seen.refunded = left;
                seen.repaid = seen.repaid + left;
                check_books();
                row_locked = 0
           }
        :: atomic { epoch != e -> goto rest }
        fi;
        atomic {
            if
            :: epoch == e -> copy(disk, seen)
            :: else -> goto rest
            fi
        }
        atomic { marker[KEY] = EXPIRED; gate[KEY] = EXPIRED; goto rest }
    :: atomic { seen.credit[0] -> u = 0; e = epoch }; goto credit
#if USERS > 1
    :: atomic { seen.credit[1] -> u = 1; e = epoch }; goto credit
#endif
#if USERS > 2
    :: atomic { seen.credit[2] -> u = 2; e = epoch }; goto credit
#endif
#if USERS > 3
#error settle picks among three users at most
#endif
    od;
credit:
#ifdef V_CREDIT_IN_TWO
    /* the transfer in a transaction of its own, the balance in the next */
    atomic {
        if
        :: epoch != e -> goto rest
        :: epoch == e && seen.booked[u] -> seen.credit[u] = 0; goto rest
        :: epoch == e && !seen.booked[u] -> seen.booked[u] = 1
        fi
    }
    if
    :: atomic { cuts > 0 -> cuts--; goto rest }
    :: skip
    fi;
    atomic {
        if
        :: epoch == e -> seen.balance[u]++; seen.credit[u] = 0; check_books()
        :: else -> goto rest
        fi
    }
#elif defined(V_CREDIT_NOT_DELETED)
    atomic {
        if
        :: epoch != e -> goto rest
        :: epoch == e -> seen.balance[u]++; seen.booked[u] = 1
        fi
    }
    if
    :: atomic { cuts > 0 -> cuts--; goto rest }
    :: atomic { epoch == e -> seen.credit[u] = 0 }
    :: atomic { epoch != e -> goto rest }
    fi;
    check_books()
#else
    if
    :: atomic { cuts > 0 -> cuts--; goto rest }
    :: atomic {
        if
        :: epoch == e ->
            seen.balance[u] = seen.balance[u] + (seen.booked[u] -> 0 : 1);
            seen.booked[u] = 1;
            seen.credit[u] = 0;
            check_books()
        :: else -> goto rest
        fi
       }
    fi
#endif
    ;
    goto rest
}

/* The cache may hold anything. */
active proctype cache_adversary()
{
    byte budget = FORGED;
end:
    do
    :: atomic { budget > 0 -> budget--; gate[generation] = MISSING }
    :: atomic { budget > 0 -> budget--; gate[generation] = 0 }
    :: atomic { budget > 0 -> budget--; gate[generation] = SHARES }
    :: atomic { budget > 0 -> budget--; gate[generation] = SOLD }
    :: atomic { budget > 0 -> budget--; gate[generation] = EXPIRED }
    :: budget == 0 -> break
    od
}

active proctype machine()
{
    byte budget = CRASHES, i;
end:
    do
    :: atomic { budget > 0 -> budget--; epoch++; row_locked = 0; held_user = 0; copy(seen, disk) }
    :: budget == 0 -> break
    od
}

/* Operations that the backup lacks are lost; their users are excused. */
active proctype operator()
{
    byte i, u;
end:
    (RESTORES > 0);
    atomic { copy(backup, disk) }
    atomic {
        epoch++;
        row_locked = 0;
        held_user = 0;
        copy(seen, backup);
        copy(disk, backup);
        generation = 1;
        u = 0;
        do
        :: u < USERS ->
            if
            :: answered[u] != NOTHING && seen.claims[u] == 0 -> answered[u] = EXCUSED
            :: else -> skip
            fi;
            u++
        :: else -> break
        od
    }
}

/* When nothing can happen any more, each user has an answer that the database agrees with. */
active proctype judge()
{
    byte u;
    timeout;
    atomic {
        u = 0;
        do
        :: u < USERS ->
            assert(answered[u] != NOTHING);
            assert(answered[u] != OPENED || seen.claims[u] == 1);
            assert(answered[u] != REFUSED || seen.claims[u] == 0);
            assert((answered[u] != SOLD && answered[u] != EXPIRED) || seen.state == answered[u]);
            assert(!seen.credit[u]);
            assert(seen.balance[u] == seen.claims[u]);
            u++
        :: else -> break
        od;
        assert(!row_locked);
        assert(!due || seen.opened + seen.refunded == SHARES)
    }
}

init
{
    byte u;
    atomic {
        do
        :: u < USERS -> run user(u); u++
        :: else -> break
        od
    }
}
