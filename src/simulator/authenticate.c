#include "authenticate.h"

#include "base/clock.h"

static void refuse_nonce(struct verify_verdict *v)
{
    v->accepted = false;
    v->status = 400;
    v->code = "SignatureNonceUsed";
    strbuf_reset(&v->message);
    strbuf_adds(&v->message, "Specified signature nonce was used already.");
}

bool authenticate(struct simulator *s, const struct verify_request *request,
                  const struct settings *settings, struct verify_verdict *ret)
{
    int64_t now_ms = simulator_unix_ms(settings);
    struct verify_account account = {
        .key_id = settings->key_id,
        .key_secret = settings->key_secret,
        .token = settings->token,
        .expired_token = settings->expired_token,
    };
    char key_id[ISSUER_TEXT_LEN];
    struct issued_key key;
    if (verify_key_id(request, key_id, sizeof(key_id)) && issuer_find(s->issuer, key_id, &key))
        account = (struct verify_account){
            .key_id = key.id,
            .key_secret = key.secret,
            .token = key.token,
            .expired_token = "",
            .expired = now_ms >= key.expires_unix_ms,
        };
    verify_check(request, &account, now_ms / 1000, ret);
    if (ret->accepted && !nonces_use(s->nonces, ret->nonce, clock_mono_ms()))
        refuse_nonce(ret);
    return ret->accepted;
}
