//! The methods about the account on plex.tv: its sign-in, its servers and its devices.

use plexsync_protocol::device::{DeviceList, DeviceListParams, DeviceRemoval, DeviceRemoveParams};
use plexsync_protocol::message::method;
use plexsync_protocol::server::{ChooseParams, ChooseResult, ListParams, ListResult};
use plexsync_protocol::sign_in::{
    FINISH_TIMEOUT_MS, FinishParams, FinishResult, LogoutParams, LogoutResult, StartParams,
    StartResult, StatusParams, StatusResult,
};

use crate::call::Call;
use crate::client::Client;

impl Client {
    /// `device.list`.
    pub fn device_list(&self, params: &DeviceListParams) -> Call<DeviceList> {
        self.timed(method::DEVICE_LIST, params, params.timeout_ms)
    }

    /// `device.remove`.
    pub fn device_remove(&self, params: &DeviceRemoveParams) -> Call<DeviceRemoval> {
        self.timed(method::DEVICE_REMOVE, params, params.timeout_ms)
    }

    /// `auth.start`.
    pub fn auth_start(&self, params: &StartParams) -> Call<StartResult> {
        self.timed(method::AUTH_START, params, params.timeout_ms)
    }

    /// `auth.finish`. The client waits a little longer than `timeout_ms`.
    pub fn auth_finish(&self, params: &FinishParams) -> Call<FinishResult> {
        let timeout = params.timeout_ms.unwrap_or(FINISH_TIMEOUT_MS);
        self.timed(method::AUTH_FINISH, params, Some(timeout))
    }

    /// `auth.status`.
    pub fn auth_status(&self, params: &StatusParams) -> Call<StatusResult> {
        self.timed(method::AUTH_STATUS, params, params.timeout_ms)
    }

    /// `auth.logout`.
    pub fn auth_logout(&self, params: &LogoutParams) -> Call<LogoutResult> {
        self.timed(method::AUTH_LOGOUT, params, params.timeout_ms)
    }

    /// `server.list`.
    pub fn server_list(&self, params: &ListParams) -> Call<ListResult> {
        self.timed(method::SERVER_LIST, params, params.timeout_ms)
    }

    /// `server.choose`.
    pub fn server_choose(&self, params: &ChooseParams) -> Call<ChooseResult> {
        self.timed(method::SERVER_CHOOSE, params, params.timeout_ms)
    }
}
