"""`lang=elasticsearch`: queries of Elasticsearch that may select the rows of an export.

Any, but what runs scripts, what reads elsewhere than in the index exported, what may be another answer the next time
it is asked, and what costs a node more than it has. The clauses that may be used are listed, and each option of
theirs with the values that it may have, as 8.19 and 9 document them: what is on no list (a newer version's, a
plugin's, a spelling that is accepted and not documented, as `mustNot` is) hides nothing.

`check` answers the query to ask: as its caller wrote it, but for `now`, which is the instant of the request, and the
share of each regular expression in what all may take.
"""

from schemas.native_query.clauses import check
from schemas.native_query.limits import MOST_CLAUSES, MOST_NESTED

__all__ = ["MOST_CLAUSES", "MOST_NESTED", "check"]
