"""Who may export: the ways of `AUTH`, and how they judge together.

Whoever brings a token is first found out about, then judged:

| the token | who vouches for it | may export when |
|---|---|---|
| none | he is the user `-1` | `anonymous`, or `kuzzle` without `kuzzle-jwt` lets its own `-1` |
| in API_KEYS_FILE (by hash) | `api-keys`, as `key:<name>`; expired: 401 invalid | it names engine and kind |
| any other, `kuzzle-jwt` | KUZZLE_JWT_SECRET: `kauth-`, HS256, `_id`, `exp`; else 401 invalid | always |
| any other, `kuzzle` | that Kuzzle: its 401 is 401 invalid | that Kuzzle says `allowed` |
| any other, `kuzzle-jwt,kuzzle` | both, the secret first | both |
| any other, neither | nobody: 401 invalid | never |

- `anonymous` admits whoever it is, but a bad token stays 401 beside it, and where Kuzzle must be asked whether a
  token is good and does not answer: 503. Without a right: 403 for somebody, 401 unauthorized for `-1` (Kuzzle gives
  tokens to its anonymous user, too: `auth:createToken`).
- A key that API_KEYS_FILE does not name (revoked, or Kuzzle's own `kapikey-`) is judged like any other token:
  `kuzzle-jwt` refuses it, `kuzzle` alone asks.
- Rights are per engine and kind. `kuzzle-jwt` alone knows no rights: every valid user may export everything.
  Kuzzle is asked for `device-manager/assets` or `device-manager/devices`; a key has `engines`, and `kinds` if it
  shall be held to one.
- That Kuzzle is asked once an answer (single-use tokens end with it), and answers are kept for 30 s: so long may a
  token that was revoked there go on.
"""

from services.access.access import Access

__all__ = ["Access"]
