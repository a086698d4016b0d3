#include "common/http/serialize.h"

#include <charconv>
#include <utility>

#include "common/base/check.h"

namespace reelway::http {
namespace {

constexpr std::size_t kUsualHeadBytes = 512;

// Every header of every answer is checked, so these look at all bytes without a branch and decide once at the end: such
// loops become vector instructions.
bool has_control(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    found |= static_cast<unsigned>(byte < 0x20) & static_cast<unsigned>(byte != '\t');
    found |= static_cast<unsigned>(byte == 0x7f);
  }
  return found != 0;
}

bool has_blank(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) found |= static_cast<unsigned>(c == ' ') | static_cast<unsigned>(c == '\t');
  return found != 0;
}

void check_name(std::string_view name) {
  CHECK(!name.empty() && !has_control(name) && !has_blank(name) && name.find(':') == std::string_view::npos);
}

void append_header(std::string& text, std::string_view name, std::string_view value) {
  check_name(name);
  CHECK(!has_control(value));
  text.append(name).append(": ").append(value).append("\r\n");
}

void append_header(std::string& text, std::string_view name, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  append_header(text, name, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

}  // namespace

std::string_view reason_phrase(std::uint16_t status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 103: return "Early Hints";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 460: return "Checksum Mismatch";  // of tus 1.0, checksum extension
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unnamed";
  }
}

ResponseBuilder::ResponseBuilder(std::uint16_t status) {
  CHECK(status >= 100 && status <= 599);
  text_.reserve(kUsualHeadBytes);
  const char digits[] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                         static_cast<char>('0' + status % 10)};
  text_.append("HTTP/1.1 ").append(digits, sizeof digits).append(" ").append(reason_phrase(status)).append("\r\n");
}

ResponseBuilder& ResponseBuilder::header(std::string_view name, std::string_view value) {
  append_header(text_, name, value);
  return *this;
}

ResponseBuilder& ResponseBuilder::header(std::string_view name, std::uint64_t value) {
  append_header(text_, name, value);
  return *this;
}

std::string ResponseBuilder::finish() {
  text_.append("\r\n");
  return std::move(text_);
}

RequestBuilder::RequestBuilder(std::string_view method, std::string_view target, std::string_view host) {
  check_name(method);
  CHECK(!target.empty() && !has_control(target) && !has_blank(target));
  text_.reserve(kUsualHeadBytes);
  text_.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  append_header(text_, "Host", host);
}

RequestBuilder& RequestBuilder::header(std::string_view name, std::string_view value) {
  append_header(text_, name, value);
  return *this;
}

RequestBuilder& RequestBuilder::header(std::string_view name, std::uint64_t value) {
  append_header(text_, name, value);
  return *this;
}

std::string RequestBuilder::finish() {
  text_.append("\r\n");
  return std::move(text_);
}

std::string error_response(const Error& error, bool keep_alive, bool head_only, std::string_view extra_headers) {
  CHECK(extra_headers.empty() || extra_headers.ends_with("\r\n"));
  const ErrorInfo& info = error.info();
  const std::string body = error_json(error);
  ResponseBuilder builder(info.http_status);
  builder.header("Content-Type", "application/json")
      .header("Content-Length", body.size())
      .header("Cache-Control", "no-store")
      .header("Reelway-Error", info.name);
  // RFC 9110 section 15.5.2: a 401 names the scheme that it asks for.
  if (info.http_status == 401) builder.header("WWW-Authenticate", "Bearer");
  if (!keep_alive) builder.header("Connection", "close");
  std::string text = builder.finish();
  text.insert(text.size() - 2, extra_headers);
  if (!head_only) text.append(body);
  return text;
}

}  // namespace reelway::http
