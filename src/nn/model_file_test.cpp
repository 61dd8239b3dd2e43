// Damaged and hostile model files: each is refused with a reason, before it costs memory.
#include "nn/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "diptych/model.h"
#include "nn/hostile_file.h"
#include "nn/made_up_rows.h"

namespace diptych {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// "" when the file is taken, else the reason; any other exception fails the test.
std::string reason_to_refuse(const std::string& bytes) {
  try {
    Model::from_bytes(bytes, "the file");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model_file) << error.full();
    EXPECT_STRNE(error.what(), "");
    EXPECT_EQ(error.where(), "the file");
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an Error: " << error.what();
    return "another exception";
  }
}

class ModelFile : public testing::Test {
 protected:
  static void SetUpTestSuite() { at::set_num_threads(1); }

  static std::string model_bytes() {
    Config config = small(preset_config(Preset::paper));
    config.channels = {2};
    config.image_size = 8;
    const MadeUpRows made = made_up_rows({.rows = 6});
    ModelDescription description;
    description.config = config;
    description.classes = made.dataset.classes();
    description.tokenizer = tokenizer_for(config, made.dataset);
    const NetworkShape shape{description.tokenizer.vocabulary_size(), 3};
    return pack_model(Network(config, shape, 1), description);
  }

  // The reason for which the file with this edit of its metadata's JSON is refused.
  std::string reason_after(const char* key, const std::function<void(json&)>& edit) const {
    return reason_to_refuse(edited(bytes_, [&](ordered_json& header, std::string&) {
      auto& text = header["__metadata__"][key];
      json value = json::parse(text.get<std::string>());
      edit(value);
      text = value.dump();
    }));
  }
  std::string reason_with_text(const char* key, const std::string& text) const {
    return reason_to_refuse(edited(
        bytes_, [&](ordered_json& header, std::string&) { header["__metadata__"][key] = text; }));
  }
  std::string reason_with_option(const char* option, const json& value) const {
    return reason_after("config", [&](json& config) { config[option] = value; });
  }

  const std::string bytes_ = model_bytes();
};

TEST_F(ModelFile, IsReadAsItWasWritten) {
  EXPECT_EQ(reason_to_refuse(bytes_), "");
  EXPECT_EQ(reason_to_refuse(edited(bytes_, [](ordered_json&, std::string&) {})), "");
  EXPECT_EQ(model_bytes(), bytes_);
}

TEST_F(ModelFile, IsRefusedWhereverItEnds) {
  for (int i = 0; i < 2000; ++i) {
    const std::size_t end = bytes_.size() * static_cast<std::size_t>(i) / 2000;
    ASSERT_NE(reason_to_refuse(bytes_.substr(0, end)), "") << "the first " << end << " bytes";
  }
  EXPECT_NE(reason_to_refuse(bytes_ + '\0'), "");
  EXPECT_THAT(reason_to_refuse(bytes_.substr(0, 7)), testing::HasSubstr("too short"));
  EXPECT_THAT(reason_to_refuse(bytes_.substr(0, 99)), testing::HasSubstr("before its header"));
}

TEST_F(ModelFile, IsRefusedWithAnyBitChanged) {
  Rng rng(1);
  std::string bytes = bytes_;
  for (int i = 0; i < 2000; ++i) {
    // Every bit of the length first, then anywhere.
    const std::uint64_t at = i < 64 ? static_cast<std::uint64_t>(i) : rng.below(bytes.size() * 8);
    const char bit = static_cast<char>(1 << at % 8);
    bytes[at / 8] ^= bit;
    ASSERT_NE(reason_to_refuse(bytes), "") << "bit " << at;
    bytes[at / 8] ^= bit;
  }
  ASSERT_EQ(bytes, bytes_);
}

// Whoever changes a file can write its digest too: then it is a model or it is refused, never more.
TEST_F(ModelFile, UnderARightDigestNoChangeOfTheHeaderDoesHarm) {
  Rng rng(2);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes_.data(), sizeof length);
  const MemoryLimit limit(256);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = bytes_;
    const auto header = rng.below(length);
    const char* const kLikely = "0123456789-[]{}\",:e.";
    bytes[8 + header] = i % 2 ? kLikely[rng.below(20)] : static_cast<char>(rng.below(256));
    if (bytes.find("\"digest\":\"") == std::string::npos) continue;
    reason_to_refuse(with_digest(bytes));
    if (HasFailure()) FAIL() << "byte " << header << " became " << int{bytes[8 + header]};
  }
}

struct Lie {
  const char* name;
  HeaderEdit edit;
  const char* reason;
};

ordered_json& first(ordered_json& header) { return header.at("image.conv1.weight"); }

const std::vector<Lie> kLiesAboutShapes = {
    {"huge",
     [](auto& h, auto&) {
       first(h)["shape"] = {1LL << 40, 1, 3, 3};
     },
     "beyond the file"},
    {"overflowing",
     [](auto& h, auto&) {
       first(h)["shape"] = {1LL << 62, 4, 3, 3};
     },
     "beyond the file"},
    {"negative",
     [](auto& h, auto&) {
       first(h)["shape"] = {-2, -3, 3, 3};
     },
     "beyond the file"},
    {"none of many",
     [](auto& h, auto&) {
       first(h)["shape"] = {0, 1LL << 62, 1LL << 62};
     },
     ""},
    {"more dimensions",
     [](auto& h, auto&) {
       first(h)["shape"] = {2, 3, 3, 3, 1};
     },
     "shape"},
    {"text for shape", [](auto& h, auto&) { first(h)["shape"] = "2"; }, "header"},
    {"no shape", [](auto& h, auto&) { first(h).erase("shape"); }, "header"},
};

const std::vector<Lie> kLiesAboutOffsets = {
    {"overlapping",
     [](auto& h, auto&) {
       h["image.conv1.bias"]["data_offsets"] = {0, 8};
     },
     "offsets"},
    {"backwards",
     [](auto& h, auto&) {
       first(h)["data_offsets"] = {216, 0};
     },
     "offsets"},
    {"late",
     [](auto& h, auto&) {
       first(h)["data_offsets"] = {8, 216};
     },
     "offsets"},
    {"negative offset",
     [](auto& h, auto&) {
       first(h)["data_offsets"] = {-216, 0};
     },
     "offsets"},
    {"far offset",
     [](auto& h, auto&) {
       first(h)["data_offsets"] = {1LL << 60, 1LL << 61};
     },
     "offsets"},
    {"one offset", [](auto& h, auto&) { first(h)["data_offsets"] = {0}; }, "offsets"},
};

const std::vector<Lie> kOtherLies = {
    {"strange type", [](auto& h, auto&) { first(h)["dtype"] = "BF16"; }, "dtype"},
    {"type of other size", [](auto& h, auto&) { first(h)["dtype"] = "I64"; }, "offsets"},
    {"type of no text", [](auto& h, auto&) { first(h)["dtype"] = 3; }, "header"},
    {"not an object", [](auto& h, auto&) { first(h) = 3; }, "header"},
    {"transposed",
     [](auto& h, auto&) {
       h["head.weight"]["shape"] = {9, 3};
     },
     "another shape"},
    {"data to spare", [](auto&, auto& data) { data += "more"; }, "belong to no tensor"},
    {"data missing", [](auto&, auto& data) { data.resize(data.size() - 4); }, ""},
    {"an empty tensor more",
     [](auto& h, auto& data) {
       h["more"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {data.size(), data.size()}}};
     },
     "more tensors"},
    {"no metadata of texts", [](auto& h, auto&) { h["__metadata__"]["x"] = 3; }, "header"},
};

TEST_F(ModelFile, IsRefusedWhenItsTensorsLie) {
  const MemoryLimit limit(256);
  for (const auto* lies : {&kLiesAboutShapes, &kLiesAboutOffsets, &kOtherLies}) {
    for (const Lie& lie : *lies) {
      SCOPED_TRACE(lie.name);
      EXPECT_THAT(reason_to_refuse(edited(bytes_, lie.edit)),
                  testing::AllOf(testing::Ne(""), testing::HasSubstr(lie.reason)));
    }
  }
}

// As many int64 as there were floats do not make weights.
TEST_F(ModelFile, IsRefusedWhenATensorHasAnotherTypeOfFittingSize) {
  const std::string bytes = edited(bytes_, [](ordered_json& header, std::string& data) {
    std::size_t grown = 0;
    for (auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      for (auto& offset : entry["data_offsets"]) offset = offset.get<std::size_t>() + grown;
      if (name != "head.bias") continue;
      entry["dtype"] = "I64";
      entry["data_offsets"][1] = entry["data_offsets"][1].get<std::size_t>() + 12;
      grown = 12;
    }
    data += std::string(grown, '\0');
  });
  EXPECT_THAT(reason_to_refuse(bytes), testing::HasSubstr("'head.bias' in another shape"));
}

TEST_F(ModelFile, IsRefusedWithoutAnyOfItsMetadata) {
  for (const char* key : {"format", "version", "config", "classes", "tokenizer", "provenance"}) {
    SCOPED_TRACE(key);
    EXPECT_NE(reason_to_refuse(
                  edited(bytes_, [&](auto& header, auto&) { header["__metadata__"].erase(key); })),
              "");
    EXPECT_NE(reason_with_text(key, "{"), "");
    EXPECT_NE(reason_with_text(key, "null"), "");
    EXPECT_NE(reason_with_text(key, "[[1]]"), "");
  }
  EXPECT_THAT(reason_with_text("version", "2"), testing::HasSubstr("format version 2"));
  EXPECT_NE(
      reason_to_refuse(tensor_file_of("{\"digest\":\"00000000000000000000000000000000\"}", "")),
      "");
}

TEST_F(ModelFile, IsRefusedWhenAnOptionIsOutOfRange) {
  EXPECT_THAT(reason_with_option("epochs", 0), testing::HasSubstr("epochs"));
  EXPECT_THAT(reason_with_option("image-size", 1000000), testing::HasSubstr("image-size"));
  EXPECT_THAT(reason_with_option("channels", json::array()), testing::HasSubstr("channels"));
  EXPECT_THAT(reason_with_option("channels", {2, 2, 2, 2, 2}), testing::HasSubstr("image-size"));
  EXPECT_THAT(reason_with_option("ngram-buckets", 7), testing::HasSubstr("ngram"));
  EXPECT_THAT(reason_with_option("fusion", "magic"), testing::HasSubstr("fusion"));
  EXPECT_THAT(reason_with_option("colour", 1), testing::HasSubstr("colour"));
  EXPECT_THAT(reason_after("config", [](json& config) { config.erase("dropout"); }),
              testing::HasSubstr("dropout"));
}

TEST_F(ModelFile, IsRefusedBeforeANetworkOfTheClaimedSizeIsMade) {
  const MemoryLimit limit(256);
  EXPECT_THAT(reason_with_option("image-size", 1024), testing::HasSubstr("image.dense.weight"));
  EXPECT_THAT(reason_with_option("image-features", 8192), testing::HasSubstr("image.dense"));
  EXPECT_THAT(reason_with_option("channels", {4096, 4096, 4096}), testing::HasSubstr("conv1"));
  EXPECT_THAT(reason_with_option("word-features", 8192), testing::HasSubstr("embedding"));
  EXPECT_THAT(reason_with_option("text-features", 8192), testing::HasSubstr("lstm"));
  EXPECT_THAT(reason_with_option("hidden-features", 8192), testing::HasSubstr("hidden"));
  EXPECT_NE(reason_with_option("text-encoder", "bilstm"), "");
  EXPECT_NE(reason_with_option("inputs", "image"), "");

  const std::string buckets = edited(bytes_, [](ordered_json& header, std::string&) {
    auto& metadata = header["__metadata__"];
    json config = json::parse(metadata["config"].get<std::string>());
    json tokenizer = json::parse(metadata["tokenizer"].get<std::string>());
    for (const char* option : {"ngram-min", "ngram-max"}) config[option] = 2;
    for (const char* option : {"ngram_min", "ngram_max"}) tokenizer["options"][option] = 2;
    config["ngram-buckets"] = tokenizer["options"]["buckets"] = 100000000;
    metadata["config"] = config.dump();
    metadata["tokenizer"] = tokenizer.dump();
  });
  EXPECT_THAT(reason_to_refuse(buckets), testing::HasSubstr("embedding"));
}

TEST_F(ModelFile, IsRefusedWhenItsTokenizerOrClassesContradictTheRest) {
  const auto tokenizer = [&](const std::function<void(json&)>& edit) {
    return reason_after("tokenizer", edit);
  };
  EXPECT_THAT(tokenizer([](json& t) { t["words"].erase(0); }), testing::HasSubstr("embedding"));
  EXPECT_THAT(tokenizer([](json& t) { t["words"].push_back("new"); }),
              testing::HasSubstr("embedding"));
  EXPECT_NE(tokenizer([](json& t) { t["words"][1] = t["words"][0]; }), "");
  EXPECT_NE(tokenizer([](json& t) { t["words"][1] = 3; }), "");
  EXPECT_THAT(tokenizer([](json& t) {
                t["options"]["ngram_min"] = t["options"]["ngram_max"] = 2;
                t["options"]["buckets"] = 100;
              }),
              testing::HasSubstr("other options"));
  EXPECT_THAT(tokenizer([](json& t) { t["options"]["max_tokens"] = 31; }),
              testing::HasSubstr("other options"));
  EXPECT_NE(reason_after("classes", [](json& classes) { classes.erase(0); }), "");
  EXPECT_NE(reason_after("classes", [](json& classes) { classes = {"only"}; }), "");
  EXPECT_NE(reason_after("classes", [](json& classes) { classes[0] = 1; }), "");
}

TEST_F(ModelFile, IsRefusedWhenItNestsWithoutEnd) {
  const std::string deep(1000000, '[');
  for (const char* key : {"config", "classes", "tokenizer", "provenance"}) {
    SCOPED_TRACE(key);
    EXPECT_NE(reason_with_text(key, deep), "");
    const std::string whole = deep + std::string(deep.size(), ']');
    EXPECT_THAT(reason_with_text(key, whole), testing::HasSubstr("too deeply"));
  }
  EXPECT_THAT(reason_after("config", [](json& config) { config["epochs"] = "x"; }),
              testing::HasSubstr("epochs"));
}

TEST(TensorFile, KeepsNamesShapesTypesAndMetadata) {
  TensorFile file;
  file.tensors = {{"b", torch::arange(6).view({2, 3})},
                  {"a", torch::ones({2, 2}).t()},
                  {"empty", torch::zeros({0, 3})},
                  {"scalar", torch::tensor(1.5F)}};
  file.metadata = {{"key", "välue \"digest\":\" 1"}};
  const TensorFile read = unpack(PackedTensors(file).bytes(), "test");
  ASSERT_EQ(read.tensors.size(), file.tensors.size());
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    EXPECT_EQ(read.tensors[i].first, file.tensors[i].first);
    EXPECT_EQ(read.tensors[i].second.scalar_type(), file.tensors[i].second.scalar_type());
    EXPECT_TRUE(torch::equal(read.tensors[i].second, file.tensors[i].second));
  }
  EXPECT_EQ(read.metadata.at("key"), file.metadata.at("key"));
  EXPECT_EQ(read.find("absent"), nullptr);
}

}  // namespace
}  // namespace diptych
