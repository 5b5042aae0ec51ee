// Everything that an author of agents needs: #include <ringroom/ringroom.h>.
#pragma once

#include "ringroom/agent.h"
#include "ringroom/agent_class.h"
#include "ringroom/agent_stub.h"
#include "ringroom/batch.h"
#include "ringroom/close_code.h"
#include "ringroom/connection.h"
#include "ringroom/deferred.h"
#include "ringroom/json.h"
#include "ringroom/limits.h"
#include "ringroom/message.h"
#include "ringroom/plugin.h"
#include "ringroom/request.h"
#include "ringroom/response.h"
#include "ringroom/route.h"
#include "ringroom/server.h"
#include "ringroom/version.h"
