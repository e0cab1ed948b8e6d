/** What a site's own middleware does: a nonce for each answer, and the policy that asks for it. */
import { NextResponse } from "next/server";

export function proxy(request) {
  const nonce = crypto.randomUUID();
  const policy = [
    "default-src 'self'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `connect-src 'self' ${process.env.CONSENT}`,
    "frame-src https://www.google.com",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  // From here Next takes the nonce for scripts of its own.
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}

export const config = { matcher: ["/nonce", "/nonce/:path*"] };
