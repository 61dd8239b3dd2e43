// For tests: tars written byte by byte, so that any field can be wrong.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace diptych {

// A header of 512 bytes as ustar has it; change what is to be wrong, then take bytes().
struct TarHeader {
  std::string name;
  std::uint64_t size = 0;
  char type = '0';
  std::string link = "", prefix = "", mode = "0000644", size_field = "";
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
  bool good_checksum = true;

  std::string bytes() const {
    std::string block(512, '\0');
    const auto put = [&](std::size_t at, std::size_t length, const std::string& text) {
      block.replace(at, std::min(length, text.size()), text.substr(0, length));
    };
    char digits[32];
    std::snprintf(digits, sizeof digits, "%011llo", static_cast<unsigned long long>(size));
    put(0, 100, name);
    put(100, 8, mode);
    put(108, 8, "0001750");
    put(116, 8, "0001750");
    put(124, 12, size_field.empty() ? digits : size_field);
    put(136, 12, "14000000000");
    put(148, 8, "        ");
    block[156] = type;
    put(157, 100, link);
    put(257, 8, magic);
    put(345, 155, prefix);
    unsigned sum = good_checksum ? 0 : 1;
    for (char c : block) sum += static_cast<unsigned char>(c);
    std::snprintf(digits, sizeof digits, "%06o", sum);
    put(148, 7, std::string(digits) + '\0');
    return block;
  }
};

inline std::string padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512);
  return data;
}

inline std::string tar_member(const std::string& name, const std::string& data, char type = '0') {
  return TarHeader{name, data.size(), type}.bytes() + padded(data);
}

// "27 path=..." records, each with its own length in front.
inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::string body = " " + key + "=" + value + "\n";
  std::size_t length = body.size() + 1;
  while (length != body.size() + std::to_string(length).size()) ++length;
  return std::to_string(length) + body;
}

inline std::string tar_end() { return std::string(1024, '\0'); }

struct TarFile {
  std::string name, data;
};

inline std::string tar_of(const std::vector<TarFile>& files) {
  std::string tar;
  for (const auto& [name, data] : files) tar += tar_member(name, data);
  return tar + tar_end();
}

}  // namespace diptych
