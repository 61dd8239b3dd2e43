#include "data/pictures.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <new>

#include "base/file.h"
#include "base/parallel.h"

namespace diptych {
namespace {

std::unique_ptr<ContainedPictures> open_container(const ImageContainer& container) {
  switch (container.kind) {
    case ImageContainer::Kind::tar:
      return open_tar_pictures(container.path);
    case ImageContainer::Kind::table:
      return open_table_pictures(container.path, container.column);
  }
  throw Error(ErrorKind::internal, "a container of no known kind", container.path.string());
}

// Containers in the order of their first row, each from its start to its end.
std::vector<std::size_t> reading_order(std::span<const Example> rows) {
  std::map<const ImageContainer*, std::size_t> rank = {{nullptr, 0}};
  for (const Example& row : rows) rank.emplace(row.image.container.get(), rank.size());
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const ImageSource &x = rows[a].image, &y = rows[b].image;
    if (x.container != y.container) return rank[x.container.get()] < rank[y.container.get()];
    return x.container && x.index < y.index;
  });
  return order;
}

RowProblem problem_of(const Example& example, const Error& error) {
  const bool missing = error.kind() == ErrorKind::not_found;
  const std::string& path = example.image.path.string();
  return {example.row, example.id, missing ? Problem::missing_image : Problem::unreadable_image,
          missing && !path.empty() ? path : error.what()};
}

}  // namespace

std::string read_picture_file(const std::filesystem::path& path) {
  return read_file(path, kMaxPictureBytes);
}

PictureReader::PictureReader(std::span<const Example> rows)
    : rows_(rows), order_(reading_order(rows)) {}

// Of a container that cannot be opened, every picture is told the same at once.
std::string PictureReader::read_contained(const ImageSource& source) {
  if (container_ != source.container) {
    container_ = source.container;
    pictures_.reset();
    broken_.reset();
    try {
      pictures_ = open_container(*container_);
    } catch (const Error& error) {
      broken_ = error;
    }
  }
  if (broken_) throw *broken_;
  return pictures_->read(source.index);
}

std::optional<PictureBytes> PictureReader::next() {
  std::unique_lock lock(mutex_);
  if (next_ == order_.size()) return std::nullopt;
  PictureBytes picture{order_[next_++], {}, {}};
  const ImageSource& source = rows_[picture.row].image;
  try {
    if (source.container) {
      picture.bytes = read_contained(source);
    } else if (!source.path.empty()) {
      lock.unlock();
      picture.bytes = read_picture_file(source.path);
    }
  } catch (const Error& error) {
    picture.error = error;
  } catch (const std::bad_alloc&) {
    picture.error = Error(ErrorKind::data, "there is not enough memory for its bytes");
  }
  return picture;
}

std::vector<RowProblem> visit_pictures(
    std::span<const Example> rows, int threads,
    const std::function<void(std::size_t, const std::string&)>& visit,
    const std::function<void(std::size_t, std::size_t)>& progress) {
  std::vector<std::optional<RowProblem>> found(rows.size());
  PictureReader reader(rows);
  std::atomic<std::size_t> done{0};
  parallel_for(rows.size(), threads, [&](std::size_t) {
    const PictureBytes picture = reader.next().value();  // as many as there are rows
    const Example& example = rows[picture.row];
    if (!example.image.empty()) {
      try {
        if (picture.error) throw *picture.error;
        visit(picture.row, picture.bytes);
      } catch (const Error& error) {
        found[picture.row] = problem_of(example, error);
      }
    }
    const std::size_t count = ++done;
    if (progress) progress(count, rows.size());
  });
  std::vector<RowProblem> problems;
  for (auto& problem : found) {
    if (problem) problems.push_back(std::move(*problem));
  }
  return problems;
}

}  // namespace diptych
