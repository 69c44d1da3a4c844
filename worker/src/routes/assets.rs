//! Everything else: files, from the service bound as `ASSETS`. A path without an extension is a page: its folder's
//! `index.html`, then that of its first folder (`/console/...`), then the one at the top.

use crate::reply::Answered;
use selvedge_edge::fault::Fault;
use worker::{Env, Fetcher, Method, Request, Response, ResponseBuilder};

/// The content type of a file, by its extension.
const TYPES: [(&str, &str); 16] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("txt", "text/plain; charset=utf-8"),
    ("xml", "application/xml"),
];

/// How long a file may be used without asking again.
const CACHE: &str = "public, max-age=0, must-revalidate";

/// The file of a request.
pub async fn answer(request: &Request, env: &Env) -> Answered {
    let Ok(files) = env.service("ASSETS") else {
        return Err(Fault::not_found("this worker serves no files").into());
    };
    let path = request.path();
    for candidate in candidates(&path) {
        let response = fetch(&files, &candidate).await?;
        if response.status_code() == 200 {
            return typed(response, &candidate, request.method() == Method::Head);
        }
    }
    Err(Fault::not_found("there is no such file").into())
}

async fn fetch(files: &Fetcher, path: &str) -> worker::Result<Response> {
    files.fetch(format!("https://assets{path}"), None).await
}

/// The files that a path may mean, in order.
fn candidates(path: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.contains('.') {
        return vec![path.to_owned()];
    }
    let folder = path.trim_end_matches('/');
    let first = folder.split('/').nth(1).unwrap_or_default();
    let mut files =
        vec![format!("{folder}/index.html"), format!("/{first}/index.html"), "/index.html".to_owned()];
    files.retain(|file| !file.starts_with("//"));
    files.dedup();
    files
}

fn typed(response: Response, path: &str, is_head: bool) -> Answered {
    let extension = path.rsplit('.').next().unwrap_or_default();
    let known = TYPES.iter().find(|(known, _)| *known == extension);
    let content_type = known.map_or("application/octet-stream", |(_, content_type)| content_type);
    let (_, body) = response.into_parts();
    // The headers of a fetched answer cannot be changed: these are a new one's.
    let builder = ResponseBuilder::new()
        .with_header("content-type", content_type)?
        .with_header("cache-control", CACHE)?
        // Pages of other origins load the client's modules from here, too.
        .with_header("access-control-allow-origin", "*")?
        .with_header("x-content-type-options", "nosniff")?;
    Ok(if is_head { builder.empty() } else { builder.body(body) })
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn a_page_is_looked_for_in_its_folder_then_at_the_top() {
        assert_eq!(candidates("/"), ["/index.html"]);
        assert_eq!(candidates("/console"), ["/console/index.html", "/index.html"]);
        assert_eq!(
            candidates("/console/live/7"),
            ["/console/live/7/index.html", "/console/index.html", "/index.html"]
        );
        assert_eq!(candidates("/a/b.js"), ["/a/b.js"]);
    }
}
