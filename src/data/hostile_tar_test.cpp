// Tars that nobody means well with: each is read to an end, gives the rows that are whole, and what
// is wrong with it has a name. Nothing of them is ever written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/pictures.h"
#include "data/written_tables.h"
#include "data/written_tars.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using std::string_literals::operator""s;

struct Hostile {
  const char* name;
  std::string bytes;
  std::string outcome;  // a part of what outcome_of() says
};

constexpr std::uint64_t kHuge = 1ULL << 62;

// Two good rows before what is hostile, and one behind it.
std::string row(const std::string& key) {
  return tar_member(key + ".jpg", "picture") + tar_member(key + ".cls", "c");
}
std::string between(const std::string& hostile) {
  return row("a") + row("a2") + hostile + row("z") + tar_end();
}
std::string alone(const std::string& hostile) { return hostile + tar_end(); }

std::string linked(char type, const std::string& link, const std::string& data = "") {
  return TarHeader{"b.jpg", data.size(), type, link}.bytes() + padded(data) +
         tar_member("b.cls", "c");
}

std::string sized(const std::string& field) {
  TarHeader header{"b.jpg", 0};
  header.size_field = field;
  return header.bytes() + padded("picture");
}

// A size in base 256, as GNU writes large ones.
std::string base256(const std::string& last_bytes, char first) {
  return first + std::string(11 - last_bytes.size(), first == '\xff' ? '\xff' : '\0') + last_bytes;
}

std::string with_pax(const std::string& records, char type = 'x') {
  return tar_member("pax", records, type) + row("b");
}

std::string claimed(char type, std::uint64_t size) { return TarHeader{"big", size, type}.bytes(); }

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string many_members(int count, const std::string& before, const std::string& after) {
  std::string all;
  for (int i = 0; i < count; ++i) all += TarHeader{before + std::to_string(i) + after, 0}.bytes();
  return all;
}

std::string old_sparse() {
  std::string header = TarHeader{"b.jpg", 512, 'S', "", "", "0000644", "", "ustar  \0"s}.bytes();
  header.replace(386, 24,
                 "00000000000\0"
                 "00000001000\0"s);
  header.replace(483, 12, "77777777777\0"s);
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, std::string(digits) + '\0');
  return header + padded(std::string(512, 'x')) + tar_member("b.cls", "c");
}

const std::vector<Hostile> kHostile = {
    {"Empty", "", "the file is empty"},
    {"OneByte", "x", "is no tar"},
    {"HalfABlock", std::string(300, '\0'), "is no tar"},
    {"OnlyAnEndMark", tar_end(), "there is no column 'label'; the columns are: image"},
    {"Garbage", std::string(4096, '\xa5'), "is no tar"},
    {"Gzip", "\x1f\x8b\x08\x00"s, "unpacked to a plain .tar"},
    {"Zstandard", "\x28\xb5\x2f\xfd"s, "unpacked to a plain .tar"},
    {"Xz",
     "\xfd"
     "7zXZ\0"s,
     "unpacked to a plain .tar"},
    {"Bzip2", "BZh91AY", "unpacked to a plain .tar"},
    {"Zip", "PK\3\4" + std::string(600, '\0'), "is no tar"},
    {"FirstChecksum", alone([] {
       TarHeader h{"b.jpg", 0};
       h.good_checksum = false;
       return h.bytes();
     }()),
     "is no tar"},
    {"LaterChecksum", between([] {
       TarHeader h{"b.jpg", 0};
       h.good_checksum = false;
       return h.bytes();
     }()),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"AbsolutePath", alone(row("/etc/passwd")), "1 rows"},
    {"PathUpwards", alone(row("../../../b")), "1 rows"},
    {"DotDot", between(tar_member("..", "x") + tar_member(".", "y")), "3 rows"},
    {"NoName", between(tar_member("", "x")), "3 rows"},
    {"OnlyDots", between(tar_member("....jpg", "x")), "3 rows"},
    {"ControlCharacters", alone(row("b\n\x1b[2J\x07")), "1 rows"},
    {"NameNotUtf8", alone(row("b\xff\xfe")), "invalid UTF-8"},
    {"DriveLetter", alone(row("C:\\windows\\b")), "1 rows"},
    {"SymbolicLink", between(linked('2', "/etc/passwd")),
     "3 rows; missing image: the cell is empty"},
    {"SymbolicLinkToItself", between(linked('2', "b.jpg")),
     "3 rows; missing image: the cell is empty"},
    {"HardLink", between(linked('1', "a.jpg")), "3 rows; missing image: the cell is empty"},
    {"HardLinkWithData", between(linked('1', "/etc/passwd", "data")),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'b.jpg'"},
    {"CharacterDevice", between(linked('3', "")), "3 rows; missing image: the cell is empty"},
    {"BlockDevice", between(linked('4', "")), "3 rows; missing image: the cell is empty"},
    {"Pipe", between(linked('6', "")), "3 rows; missing image: the cell is empty"},
    {"FolderNamedAsAPicture", between(linked('5', "")), "3 rows; missing image: the cell is empty"},
    {"SizeBeyondTheFile", between(claimed('0', 077777777777)),
     "2 rows; lost in a damaged shard: the shard ends inside 'big'"},
    {"SizeOfExabytes", between(sized(base256("\x3f\xff\xff\xff\xff\xff\xff\xff", '\x80'))),
     "2 rows; lost in a damaged shard: the shard ends inside 'b.jpg'"},
    {"SizeNegative", between(sized(base256("\xff", '\xff'))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"SizeOfLetters", between(sized("hello world")),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'b.jpg'"},
    {"SizeMissing", between(sized(std::string(12, ' '))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'b.jpg'"},
    {"PictureOfNoBytes", between(tar_member("b.jpg", "") + tar_member("b.cls", "c")), "4 rows"},
    {"PaxSizeOfExabytes", between(with_pax(pax_record("size", std::to_string(kHuge)))),
     "2 rows; lost in a damaged shard: the shard ends inside 'b.jpg'"},
    {"PaxSizeNegative", between(with_pax(pax_record("size", "-5"))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"PaxPathAbsolute", between(with_pax(pax_record("path", "/etc/shadow.jpg"))),
     "3 rows; empty label: ; missing image: the cell is empty"},
    {"PaxPathOfAMegabyte",
     between(with_pax(pax_record("path", std::string(900'000, 'p') + ".jpg"))),
     "3 rows; empty label: ; missing image: the cell is empty"},
    {"PaxPathNotUtf8", between(with_pax(pax_record("path", "b\xff.jpg"))),
     "3 rows; invalid UTF-8: in the image's name; empty label: ; missing image: the cell is "
     "empty"},
    {"PaxWithoutLengths", between(with_pax("path=b.jpg\n")), "4 rows"},
    {"PaxLengthBeyondTheBlock", between(with_pax("99999 path=b.jpg\n")), "4 rows"},
    {"PaxLengthOverflows", between(with_pax("99999999999999999999999 path=b.jpg\n")), "4 rows"},
    {"PaxLengthNull", between(with_pax("0 path=b.jpg\n")), "4 rows"},
    {"PaxOfExabytes", between(claimed('x', 077777777777)),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"PaxTimes",
     between(with_pax(pax_record("mtime", "1e400") + pax_record("atime", std::string(500, '9')))),
     "4 rows"},
    {"PaxForAll", between(with_pax(pax_record("path", "all.jpg"), 'g')), "4 rows"},
    {"PaxBehindPax",
     between(repeated(tar_member("pax", pax_record("comment", "x"), 'x'), 200) + row("b")),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind ''"},
    {"PaxUnknownKeys", between(with_pax(repeated(pax_record("SCHILY.xattr.user.x", "y"), 2000))),
     "4 rows"},
    {"PaxCharset",
     between(with_pax(pax_record("hdrcharset", "BINARY") + pax_record("path", "\xff.jpg"))),
     "3 rows; invalid UTF-8: in the image's name; empty label: ; missing image: the cell is "
     "empty"},
    {"PaxLinkPath", between(with_pax(pax_record("linkpath", "../../x"))), "4 rows"},
    {"LongNameOfExabytes", between(claimed('L', 077777777777)),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"LongNameForNobody", alone(row("a") + tar_member("././@LongLink", "long.jpg", 'L')),
     "no row can be used; lost in a damaged shard: 1; row 1 (h.tar/a): the shard is cut off or "
     "damaged behind 'a.cls'"},
    {"LongNameOfAMegabyte",
     between(tar_member("././@LongLink", std::string(900'000, 'n') + ".jpg", 'L') + row("b")),
     "3 rows; empty label: ; missing image: the cell is empty"},
    {"LongLinkName",
     between(tar_member("././@LongLink", std::string(5000, 'l'), 'K') + linked('2', "x")),
     "3 rows; missing image: the cell is empty"},
    {"LongNames", between(repeated(tar_member("././@LongLink", "long.jpg", 'L'), 200) + row("b")),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'long.jpg'"},
    {"OldSparse", between(old_sparse()), "3 rows; missing image: the cell is empty"},
    {"PaxSparse",
     between(with_pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
                      pax_record("GNU.sparse.realsize", std::to_string(kHuge)) +
                      pax_record("GNU.sparse.name", "b.jpg"))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"PaxSparseMap",
     between(with_pax(pax_record("GNU.sparse.map", "0,1," + std::to_string(kHuge) + ",5") +
                      pax_record("GNU.sparse.size", std::to_string(kHuge)))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'b.jpg'"},
    {"PaxSparseWithoutEnd",
     between(with_pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0")) +
             tar_member("c.jpg", "999999999\n" + repeated("1\n", 200))),
     "2 rows; lost in a damaged shard: the shard is cut off or damaged behind 'a2.cls'"},
    {"OtherVolume", between(TarHeader{"b.jpg", 5, 'M'}.bytes() + padded("xxxxx")), "3 rows"},
    {"VolumeLabel", between(TarHeader{"label.jpg", 0, 'V'}.bytes()), "3 rows"},
    {"UnknownType", between(tar_member("b.jpg", "x", 'Z') + tar_member("b.cls", "c")), "4 rows"},
    {"NoMagic", between([] {
       TarHeader h{"b.jpg", 0};
       h.magic = std::string(8, '\0');
       return h.bytes() + tar_member("b.cls", "c");
     }()),
     "4 rows"},
    {"PrefixUpwards", between(TarHeader{"b.jpg", 0, '0', "", "../.."}.bytes()),
     "3 rows; empty label: "},
    {"SecondTarBehindTheFirst", row("a") + tar_end() + row("b") + tar_end(), "2 rows"},
    {"GarbageBehindTheEnd", row("a") + tar_end() + std::string(5000, 'x'),
     "no row can be used; lost in a damaged shard: 1; row 1 (h.tar/a): the shard is cut off or "
     "damaged behind 'a.cls'"},
    {"TenThousandMembers", alone(row("a") + many_members(10'000, "k", ".txt")),
     "1 rows; missing image"},
    {"TenThousandEndings", alone(row("a") + many_members(10'000, "k.", "x")),
     "1 rows; missing image: the cell is empty"},
    {"NestedJson",
     between(tar_member("b.jpg", "x") + tar_member("b.json", std::string(100'000, '['))),
     "3 rows; invalid JSON: is not an object of columns: {\"image\": …}; empty label: "},
    {"HugeText", between(tar_member("b.jpg", "x") + tar_member("b.txt", std::string(2 << 20, 't'))),
     "3 rows; long text: 2097152 bytes; empty label: "},
    {"CutInsideAPicture", (row("a") + tar_member("b.jpg", std::string(2000, 'x'))).substr(0, 4000),
     "1 rows; lost in a damaged shard: the shard ends inside 'b.jpg'"},
};

// "3 rows; problem: detail; …" or the error.
std::string outcome_of(const fs::path& path) {
  ReadOptions options;
  options.needs_text = false;
  try {
    const Dataset dataset = read_dataset(path, options);
    std::string outcome = std::to_string(dataset.size()) + " rows";
    for (const RowProblem& problem : dataset.problems()) {
      outcome += "; "s + problem_name(problem.problem) + ": " + problem.detail;
    }
    PictureReader reader(dataset);
    while (auto picture = reader.next()) {
      if (picture->error) outcome += "; picture: "s + picture->error->what();
    }
    return outcome;
  } catch (const Error& error) {
    EXPECT_THAT(error.where(), testing::HasSubstr("h.tar"));
    return error.full();
  }
}

class HostileTars : public FolderTest, public testing::WithParamInterface<Hostile> {};
INSTANTIATE_TEST_SUITE_P(Shards, HostileTars, testing::ValuesIn(kHostile),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(HostileTars, AreReadToAnEndAndSayWhatIsWrong) {
  const std::string outcome = outcome_of(write("h.tar", GetParam().bytes));
  EXPECT_THAT(outcome, testing::HasSubstr(GetParam().outcome));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace diptych
