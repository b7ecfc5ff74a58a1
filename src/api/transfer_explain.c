/*
 * libcurl's results put in words: what went wrong, where, and what may help. The sources of the
 * distinctions are its own documentation and what version 7.88 was seen to do.
 */
#include "transfer.h"

#include <string.h>

#include <openssl/x509_vfy.h>

int64_t transfer_info_us(const struct transfer *f, CURLINFO what)
{
    curl_off_t value = 0;

    return curl_easy_getinfo(f->easy, what, &value) == CURLE_OK ? (int64_t)value : 0;
}

long transfer_info_long(const struct transfer *f, CURLINFO what)
{
    long value = 0;

    return curl_easy_getinfo(f->easy, what, &value) == CURLE_OK ? value : 0;
}

/*
 * libcurl's own words, fit for one line of log. It quotes a proxy URL that it cannot parse with
 * the password in it, so nothing with an '@' is passed on.
 */
static const char *detail(struct transfer *f, CURLcode rc)
{
    size_t len = strcspn(f->detail, "\r\n");

    f->detail[len] = '\0';
    if (len == 0 || strchr(f->detail, '@'))
        return curl_easy_strerror(rc);
    for (char *c = f->detail; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return f->detail;
}

/* CURLE_OPERATION_TIMEDOUT has four meanings; the phases that were reached tell them apart. */
static int explain_timeout(struct transfer *f, struct err *err)
{
    long long connect_ms = f->connect_ms;

    if (transfer_info_us(f, CURLINFO_PRETRANSFER_TIME_T) == 0) {
        if (transfer_info_us(f, CURLINFO_NAMELOOKUP_TIME_T) == 0)
            return err_set(err, ERR_DNS, "DNS did not answer within %lld ms", connect_ms);
        /* CONNECT_TIME is of no use: libcurl 7.88 sets it after the TLS handshake. */
        if (transfer_info_long(f, CURLINFO_LOCAL_PORT) == 0)
            return err_set(err, ERR_CONNECT, "no connection within %lld ms", connect_ms);
        return err_set(err, ERR_TIMEOUT, "connected, but no TLS handshake within %lld ms",
                       connect_ms);
    }
    long long body = (long long)transfer_info_us(f, CURLINFO_SIZE_DOWNLOAD_T);
    if (strstr(f->detail, "too slow"))
        return err_set(err, ERR_TIMEOUT,
                       "the reply stalled: less than 1 byte a second after %lld bytes of body",
                       body);
    return err_set(err, ERR_TIMEOUT, "no whole reply within %lld ms, %lld bytes of body came",
                   (long long)f->timeout_ms, body);
}

/* The cause of a refused certificate, each in words of its own; NULL if it is something else. */
static const char *certificate_problem(long verify_result)
{
    switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the server's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the server's certificate is not yet valid: check the clock of this machine";
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return "the server's certificate is for another host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "the server's certificate is not signed by a trusted authority";
    default:
        return NULL;
    }
}

static int explain_tls(struct transfer *f, CURLcode rc, struct err *err)
{
    const char *words = detail(f, rc);
    long verify_result = transfer_info_long(f, CURLINFO_SSL_VERIFYRESULT);

    /* The name is verified by libcurl itself, before it looks at what OpenSSL found. */
    if (rc == CURLE_PEER_FAILED_VERIFICATION &&
        (verify_result == X509_V_OK || verify_result == X509_V_ERR_UNSPECIFIED))
        verify_result = X509_V_ERR_HOSTNAME_MISMATCH;
    const char *problem = certificate_problem(verify_result);
    if (problem)
        return err_set(err, ERR_TLS, "%s (%s)", problem, words);
    if (rc == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, ERR_TLS, "the CA certificates cannot be used (%s)", words);
    if (rc == CURLE_SSL_CERTPROBLEM)
        return err_set(err, ERR_TLS, "the client certificate or its key cannot be used (%s)",
                       words);
    /* A connection lost during the handshake is the network's doing and worth another try. */
    if (strstr(words, "SSL_ERROR_SYSCALL") || strstr(words, "onnection reset") ||
        strstr(words, "unexpected eof"))
        return err_set(err, ERR_CONNECT, "connection lost during the TLS handshake (%s)", words);
    /* How OpenSSL says it depends on who refuses whom: ours, the server's alert, or its key. */
    if (strstr(words, "protocol") || strstr(words, "sigalg"))
        return err_set(err, ERR_TLS, "the server does not speak TLS 1.2 or newer (%s)", words);
    return err_set(err, ERR_TLS, "TLS handshake failed (%s)", words);
}

static int explain_connection(struct transfer *f, CURLcode rc, struct err *err)
{
    long proxy_status = transfer_info_long(f, CURLINFO_HTTP_CONNECTCODE);

    /* Received when a proxy refuses the tunnel; our request never went out. */
    if (proxy_status != 0 && proxy_status / 100 != 2)
        return err_set(err, ERR_CONNECT, "the proxy refused the connection with status %ld",
                       proxy_status);
    if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_PROXY)
        return err_set(err, ERR_CONNECT, "no connection: %s", detail(f, rc));
    if (rc == CURLE_GOT_NOTHING)
        return err_set(err, ERR_HTTP, "the server closed the connection without a reply");
    return err_set(err, ERR_HTTP, "the reply broke off or is not HTTP: %s", detail(f, rc));
}

bool transfer_body_too_large(const struct transfer *f, CURLcode rc)
{
    return f->body_bytes > f->max_body_size || rc == CURLE_FILESIZE_EXCEEDED;
}

/* The write callbacks refused, or libcurl itself found something too large. */
static int explain_limit(const struct transfer *f, CURLcode rc, struct err *err)
{
    if (f->header_bytes > TRANSFER_HEADER_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the headers of the reply are larger than %d bytes",
                       (int)TRANSFER_HEADER_BYTES_MAX);
    if (transfer_body_too_large(f, rc))
        return err_set(err, ERR_LIMIT, "the body of the reply is larger than %zu bytes",
                       f->max_body_size);
    /* libcurl calls a header line above its own limit "out of memory". */
    if (rc == CURLE_OUT_OF_MEMORY && transfer_info_us(f, CURLINFO_STARTTRANSFER_TIME_T) > 0)
        return err_set(err, ERR_LIMIT, "a header of the reply is too large");
    return err_nomem(err, "reply");
}

int transfer_explain(struct transfer *f, CURLcode rc, struct err *err)
{
    if (f->sink_err.kind != ERR_NONE) {
        *err = f->sink_err;
        return -1;
    }
    switch (rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_DNS, "%s", detail(f, rc));
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(err, ERR_DNS, "the proxy's name cannot be resolved or its URL not be used");
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(f, err);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CLIENTCERT:
        return explain_tls(f, rc, err);
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return explain_connection(f, rc, err);
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_OUT_OF_MEMORY:
        return explain_limit(f, rc, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* An answer that is not HTTP/1 reads as HTTP/0.9; before it, it is our URL that is bad. */
        if (transfer_info_us(f, CURLINFO_PRETRANSFER_TIME_T) > 0)
            return explain_connection(f, rc, err);
        break;
    default:
        break;
    }
    return err_set(err, ERR_INTERNAL, "libcurl: %s", detail(f, rc));
}
