// Rows as JSON, for those who ask from outside. Pure functions; any thread.
#pragma once

#include "ringroom/json.h"
#include "ringroom/sql.h"

namespace ringroom::store {

/// `{"columns": ["a"], "rows": [[1]]}`. A blob is `{"hex": "00ff"}`.
json to_json(const SqlRows& rows);

}  // namespace ringroom::store
