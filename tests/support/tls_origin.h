#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "tests/support/raw_origin.h"

namespace reelway::testing {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;

// A key and its certificate.
struct Identity {
  KeyPtr key;
  CertificatePtr certificate;
};

struct CertificateOrder {
  std::string names = "DNS:origin.test,IP:127.0.0.1";  // as in OpenSSL's subjectAltName; empty for an authority
  long valid_from_s = -3600;                           // from now
  long valid_until_s = 3600;
};

// Signed by `issuer`, or by itself.
inline Identity make_identity(const CertificateOrder& order, const Identity* issuer = nullptr) {
  Identity made{KeyPtr(EVP_EC_gen("P-256")), CertificatePtr(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  static std::atomic<long> serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), order.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), order.valid_until_s);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(order.names.empty() ? "test authority" : "test server");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  const Identity& by = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(by.certificate.get()));
  const int kind = order.names.empty() ? NID_basic_constraints : NID_subject_alt_name;
  const std::string value = order.names.empty() ? "critical,CA:TRUE" : order.names;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  CHECK(X509_sign(certificate, by.key.get(), EVP_sha256()) > 0);
  return made;
}

inline void write_certificate(const Identity& identity, const std::string& file) {
  FILE* out = std::fopen(file.c_str(), "w");
  CHECK(out != nullptr && PEM_write_X509(out, identity.certificate.get()) == 1);
  std::fclose(out);
}

// A server's side of TLS on a RawConnection: blocking.
class TlsServer {
 public:
  explicit TlsServer(const Identity& identity, int version_max = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_server_method())) {
    CHECK(SSL_CTX_use_certificate(context_, identity.certificate.get()) == 1);
    CHECK(SSL_CTX_use_PrivateKey(context_, identity.key.get()) == 1);
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, version_max);
  }
  ~TlsServer() { SSL_CTX_free(context_); }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  class Session {
   public:
    Session(TlsServer& server, RawConnection& connection) : ssl_(SSL_new(server.context_)) {
      SSL_set_fd(ssl_, connection.fd());
      accepted_ = SSL_accept(ssl_) == 1;
      const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
      server_name_ = name == nullptr ? "" : name;
    }
    ~Session() { SSL_free(ssl_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    bool accepted() const { return accepted_; }
    const std::string& server_name() const { return server_name_; }
    std::string read_head() {
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n")) {
        if (SSL_read(ssl_, &byte, 1) != 1) return {};
        head += byte;
      }
      return head;
    }
    bool send(std::string_view bytes) {
      return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    }
    void say_goodbye() { SSL_shutdown(ssl_); }
    void change_keys() {
      SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(ssl_);
    }

   private:
    SSL* const ssl_;
    bool accepted_ = false;
    std::string server_name_;
  };

 private:
  SSL_CTX* const context_;
};

}  // namespace reelway::testing
