//! `/graphql`, as far as plugins like this one ask it.

use serde_json::{Map, Value, json};

use super::{Fault, State, cookie};
use crate::http::{After, Request, Response};

/// The release that it takes after.
const VERSION: &str = "v0.30.1";

/// Answers one request.
pub(super) fn answer(state: &mut State, request: &Request) -> Response {
    state.requests.push(request.clone());
    if let Some(fault) = state.faults.pop() {
        return state.faulty(fault);
    }
    if !state.is_allowed(request) {
        return unauthorized();
    }
    let response = match request.path() {
        "/graphql" if request.method == "POST" => state.graphql(request),
        "/graphql" => Response::new(405),
        _ => Response::text(200, "text/html", "<!doctype html><title>Stash</title>"),
    };
    if response.status() == 200 { state.renewed(response) } else { response }
}

impl State {
    /// A wrong key is refused even beside a good cookie, and no key is right here.
    fn is_allowed(&self, request: &Request) -> bool {
        if request.header("ApiKey").is_some() || request.query_value("apikey").is_some() {
            return false;
        }
        let cookies = request.headers_named("cookie").flat_map(|header| header.split(';'));
        let mut sessions = cookies.filter_map(|pair| pair.trim().strip_prefix("session="));
        let good = match self.only_newest {
            true => &self.cookies[self.cookies.len() - 1..],
            false => &self.cookies,
        };
        sessions.next().is_some_and(|value| good.iter().any(|cookie| cookie == value))
    }

    fn renewed(&mut self, response: Response) -> Response {
        let next = cookie(self.requests.len());
        let header = format!("session={next}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax");
        self.cookies.push(next);
        response.header("Set-Cookie", header)
    }

    fn faulty(&mut self, fault: Fault) -> Response {
        match fault {
            Fault::Unauthorized => unauthorized(),
            Fault::Unprocessable => unprocessable("Cannot query field \"plugins\""),
            Fault::Errors(message) => {
                let body = json!({"errors": [{"message": message, "path": ["x"]}], "data": null});
                self.renewed(Response::json(200, &body))
            }
            Fault::Answer(status, text) => Response::text(status, "text/html", text),
            Fault::Close => Response::script(|_, _| Ok(After::Close)),
        }
    }

    fn graphql(&self, request: &Request) -> Response {
        if request.header("content-type") != Some("application/json") {
            let body = json!({"errors": [{"message": "transport not supported"}], "data": null});
            return Response::json(400, &body);
        }
        let Ok(question) = serde_json::from_slice::<Value>(&request.body) else {
            let body = json!({"errors": [{"message": "json request body could not be decoded"}]});
            return Response::json(400, &body);
        };
        let query = question["query"].as_str().unwrap_or_default().replace([' ', '\n'], "");
        let variables = &question["variables"];
        let configuration = || json!({"plugins": self.settings_of(&variables["ids"])});
        let data = match query.as_str() {
            "query{version{version}}" => json!({"version": {"version": VERSION}}),
            "query($ids:[ID!]){configuration{plugins(include:$ids)}}" => {
                json!({"configuration": configuration()})
            }
            "query($id:ID!){findScene(id:$id){idfiles{path}}}" => {
                json!({"findScene": self.scene(&variables["id"])})
            }
            "query($ids:[ID!],$id:ID!){configuration{plugins(include:$ids)}findScene(id:$id){idfiles{path}}}" =>
            {
                json!({"configuration": configuration(), "findScene": self.scene(&variables["id"])})
            }
            _ => return unprocessable("Cannot query this field"),
        };
        Response::json(200, &self.with_failures(data))
    }

    /// The fields that fail: null, with an error beside the data. `configuration` must not be null, so all data is.
    fn with_failures(&self, mut data: Value) -> Value {
        let asked = |(field, _): &&(String, String)| data.get(field).is_some();
        let failing: Vec<_> = self.failing.iter().filter(asked).collect();
        if failing.is_empty() {
            return json!({"data": data});
        }
        for (field, _) in &failing {
            match field.as_str() {
                "findScene" => data["findScene"] = Value::Null,
                _ => data = Value::Null,
            }
        }
        let errors: Vec<_> = failing
            .iter()
            .map(|(field, message)| json!({"message": message, "path": [field]}))
            .collect();
        json!({"errors": errors, "data": data})
    }

    fn scene(&self, id: &Value) -> &Value {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        self.scenes.get(&id).unwrap_or(&Value::Null)
    }

    /// Settings of the named plugins, letter case and all; of every plugin when none is named.
    fn settings_of(&self, ids: &Value) -> Map<String, Value> {
        let ids: Vec<_> = ids.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut settings = self.settings.clone();
        settings.retain(|id, _| ids.is_empty() || ids.contains(&id.as_str()));
        settings
    }
}

/// 401 has nothing to parse, and the cookie that may come with it is nobody's.
fn unauthorized() -> Response {
    Response::new(401)
        .header("WWW-Authenticate", "FormBased")
        .header("Set-Cookie", "session=of-nobody; Path=/; HttpOnly")
}

fn unprocessable(message: &str) -> Response {
    let code = json!({"code": "GRAPHQL_VALIDATION_FAILED"});
    let error = json!({"message": message, "extensions": code});
    Response::json(422, &json!({"errors": [error], "data": null}))
}
