"""Response headers of pages and files: the policy that makes injected script useless."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "manifest-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

PAGE_HEADERS: dict[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "cache-control": "no-store",
}

# Names carry the hash of the content, so a browser never needs to ask again.
STATIC_HEADERS: dict[str, str] = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "vary": "accept-encoding",
}

# Foreign pages load the banner; the token inside is short-lived, so is the copy that a browser keeps.
BANNER_HEADERS: dict[str, str] = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=300",
    "vary": "accept-encoding, accept-language, sec-gpc",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
}

MEDIA_TYPES: dict[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
