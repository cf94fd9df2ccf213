-- Neovim's vim.lsp.rpc: headers, SIGTERM for a goodbye. Usage: nvim --headless -u NONE -S neovim.lua

local calls = 100
local progress, exit
local worker = vim.lsp.rpc.start(vim.env.PLEXSYNC_WORKER, {}, {
  notification = function(method, params)
    if method == "$/progress" then progress = params.done end
  end,
  on_exit = function(code) exit = code end,
})

local function text(n) return n .. " Amélie 映画 🎬\u{2028}" end
local function wait(done) assert(vim.wait(60000, done, 10), "no answer") end

local function call(method, params)
  local error, result
  worker.request(method, params, function(...) error, result = ... end)
  wait(function() return error or result end)
  return error, result
end

local function converse()
  local _, identity = call("identity.get")
  local unknown = call("no.such.method")
  local ended, answered = 0, 0
  for n = 0, calls - 1 do
    worker.request("plex.request", { path = "/text/" .. n, query = { text = text(n) } }, function(_, result)
      ended = ended + 1
      if result and result.body.text == text(n) then answered = answered + 1 end
    end)
  end
  wait(function() return ended == calls end)
  call("plex.request", { path = "/library/sections/1/all", all_pages = true, progress_token = "news" })
  -- The library hands on every answer but -32800, of which it says only that it came.
  local handed, came
  local _, id = worker.request("plex.request", { path = "/slow" }, function() handed = true end, function() came = true end)
  worker.notify("$/cancelRequest", { id = id })
  wait(function() return came end)
  vim.wait(0)
  worker.handle:kill(15)
  wait(function() return exit end)
  local version = vim.version()
  io.stdout:write(vim.json.encode({
    version = table.concat({ version.major, version.minor, version.patch }, "."),
    device_id = identity.device_id,
    unknown = unknown.code,
    answered = answered,
    progress = progress,
    cancelled = not handed and -32800 or vim.NIL,
    exit = exit,
  }), "\n")
end

local fine, why = pcall(converse)
if not fine then io.stderr:write(why, "\n") end
vim.cmd(fine and "quit!" or "cquit")
